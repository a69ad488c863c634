import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { encodeAssignment } from '../../coordinator/domain/assignment.ts'
import { anOrder } from '../../coordinator/domain/testing.ts'
import manifest from '../../package.json' with { type: 'json' }
import { keptInputs } from '../support/inputs.ts'
import { Instance, LAUNCHER } from '../support/instance.ts'
import { processes } from '../support/processes.ts'
import { run, until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterEach(() => instance.stopAll())
afterAll(() => instance.down())

/** A launcher whose stdin stays open, in a process group of its own. */
function launcher(...words: string[]): ChildProcess & { pid: number } {
  const child = spawn(LAUNCHER, ['spawn', '--stdin', ...words], {
    cwd: instance.root,
    env: { ...process.env, ...instance.env },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  if (child.pid === undefined) throw new Error('it was not started')
  return Object.assign(child, { pid: child.pid })
}

const inParent = async (): Promise<boolean> =>
  (await processes(instance)).some(({ command }) => command.includes('spawn --stdin'))

/** Waits until nothing is left of a launcher, on the host and in the parent. */
async function nothingLeft({ pid }: { pid: number }): Promise<void> {
  const group = async () => (await run('pgrep', ['-g', String(pid)])).stdout
  await until('nothing is left of the launcher', async () => (await group()) === '')
  await until('nothing is left in the parent', async () => !(await inParent()))
}

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
  'a launcher that ends by %s in the middle of the input starts nothing and leaves nothing',
  async (name) => {
    const before = await instance.list('-a')
    const child = launcher(project, '--', 'cat')
    child.stdin?.write('half of it')
    await until('it reads', inParent)
    process.kill(child.pid, name)
    const [code] = await once(child, 'exit')
    expect(code).toBe({ SIGTERM: 143, SIGHUP: 129, SIGINT: 130 }[name])
    await nothingLeft(child)
    expect([await instance.list('-a'), await keptInputs(instance)]).toEqual([before, []])
  },
)

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a launcher that ends by %s after the input leaves the worker and nothing else',
  async (name) => {
    const child = launcher('--foreground', '-n', name.toLowerCase(), project, '--', 'sh', '-c', 'cat; sleep 100')
    child.stdin?.end('all of it\n')
    await until('it runs', async () => (await instance.list())[0]?.state === 'running')
    process.kill(child.pid, name)
    await once(child, 'exit')
    await nothingLeft(child)
    const logs = ['coordinator', 'logs', name.toLowerCase()]
    await until('it has read', async () => (await instance.exec(logs)).stdout === 'all of it\n')
    expect(await instance.list()).toMatchObject([{ name: name.toLowerCase(), state: 'running' }])
  },
)

test('a stdin that cannot be read to its end starts nothing', async () => {
  const before = await instance.list('-a')
  const directory = await run('sh', ['-c', 'exec "$0" spawn --stdin "$1" -- cat <"$1"', LAUNCHER, project], {
    env: instance.env,
  })
  expect(directory).toMatchObject({ code: 2, stderr: expect.stringContaining('could not be read to its end') })
  expect([await instance.list('-a'), await keptInputs(instance)]).toEqual([before, []])
})

test('a command line that is refused does not wait for the end of the input', async () => {
  const child = launcher('--nonsense', project, '--', 'cat')
  child.stdin?.on('error', () => {})
  child.stdin?.write(Buffer.alloc(1_000_000))
  const [code] = await once(child, 'exit')
  expect(code).toBe(2)
  await nothingLeft(child)
})

describe('a worker', () => {
  const told = async (assignment: Buffer) => {
    const container = ['run', '--rm', '-i', '--network', 'none', '--tmpfs', '/run:mode=755']
    return await run('docker', [...container, `hal9000/worker-ultramin:${manifest.version}`], { input: assignment })
  }

  test('whose assignment breaks off, wherever, knows that it was never assigned', async () => {
    const input = Buffer.from('hal9000=1\0end=\0arg=rm\0')
    const whole = encodeAssignment(anOrder('w1', { input: input.length }), input)
    const first = whole.indexOf(input)
    for (const length of [0, 5, 10, 15, first, first + 1, first + 10, first + input.length, whole.length - 6]) {
      const { code, stderr } = await told(whole.subarray(0, length))
      expect([length, code, stderr]).toEqual([length, 125, expect.stringContaining('refused never-assigned')])
    }
  })

  test.each(['input=3', 'input=', 'input=x', 'input=99999999999'])('refuses %s where no bytes were', async (entry) => {
    const whole = encodeAssignment(anOrder('w1')).toString().replace('end=\0', `${entry}\0end=\0`)
    const { code, stderr } = await told(Buffer.from(whole))
    expect([code, stderr]).toEqual([125, expect.stringContaining('refused bad-assignment')])
  })
})
