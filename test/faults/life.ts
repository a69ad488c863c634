import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkerDetail } from '../../coordinator/contract/worker.ts'
import type { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

/**
 * Three workers from birth to end: one is replaced, one is stopped, one ends by itself. What really ran is written by the
 * commands, outside of anything the coordinator knows. The answer: what was not as it should be.
 */
export async function life(instance: Instance, project: string, id: string): Promise<string[]> {
  const wrong: string[] = []
  const expect = (what: string, seen: unknown, wanted: unknown): void => {
    if (JSON.stringify(seen) !== JSON.stringify(wanted)) wrong.push(`${id}: ${what}: ${JSON.stringify(seen)}`)
  }
  const [long, short] = [`${id}-long`, `${id}-short`]
  const spawn = async (name: string, says: string, end: string, options: string[] = []): Promise<void> => {
    // What it says comes over the command line, or as its input.
    const [said, input] = options.includes('--stdin') ? ['cat', { input: `${says}\n` }] : [`echo ${says}`, {}]
    const words = ['sh', '-c', `${said} | tee -a ledger-${id}; ${end}`]
    const spawned = await instance.exec(['spawn', '-d', '-n', name, ...options, project, '--', ...words], input)
    expect('spawn', [spawned.code, spawned.stdout], [0, `${name}\n`])
  }
  const endOf = async (name: string): Promise<unknown[]> => {
    const { exit } = await instance.json<WorkerDetail>(['wait', name])
    return [exit?.reason, exit?.exitCode]
  }

  await spawn(long, 'first', 'sleep 1000')
  await spawn(long, 'second', 'sleep 1000', ['--replace'])
  const running = await instance.list()
  expect(
    'list',
    running.map(({ name, state }) => [name, state]),
    [[long, 'running']],
  )
  expect('stop', (await instance.exec(['coordinator', 'stop', long])).code, 0)
  expect('end', await endOf(long), ['stopped', 143])
  await spawn(short, 'third', 'exit 3', ['--stdin'])
  expect('end', await endOf(short), ['exited', 3])
  expect('logs', (await instance.exec(['coordinator', 'logs', short])).stdout, 'third\n')
  const ends = (await instance.list('-a')).filter(({ name }) => name.startsWith(`${id}-`))
  expect(
    'list -a',
    ends.map(({ state, exitCode }) => [state, exitCode]),
    [
      ['ended', 143],
      ['ended', 143],
      ['ended', 3],
    ],
  )
  expect('ledger', await readFile(join(project, `ledger-${id}`), 'utf8').catch(String), 'first\nsecond\nthird\n')
  const empty = async (): Promise<boolean> => (await instance.workerContainers()).length === 0
  await until('no container is left', empty, 15_000).catch(() => wrong.push(`${id}: containers are left`))
  return wrong
}
