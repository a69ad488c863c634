import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { FailureShape } from '../../coordinator/contract/failure.ts'
import type { RemoveResult, WorkerDetail } from '../../coordinator/contract/worker.ts'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

const SLEEP = ['--', 'sleep', '100']

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterEach(async () => {
  await instance.stopAll()
})
afterAll(() => instance.down())

/** A worker whose command has ended and whose container is kept. */
async function kept(name: string): Promise<void> {
  const ran = await instance.exec([
    'spawn',
    '--no-rm',
    '-n',
    name,
    project,
    '--',
    'sh',
    '-c',
    `echo from ${name}; exit 3`,
  ])
  expect(ran.code).toBe(3)
  expect(await instance.workerContainers()).toContainEqual(expect.stringMatching(new RegExp(`-${name}$`)))
}

test('the container that was kept goes; exit record and log stay', async () => {
  await kept('done')
  expect(await instance.hal(['rm', 'done'])).toMatchObject({ code: 0, stdout: 'done\n', stderr: '' })
  expect(await instance.workerContainers()).toEqual([])
  expect(await instance.json<WorkerDetail>(['inspect', 'done'])).toMatchObject({ exit: { exitCode: 3 } })
  expect((await instance.exec(['coordinator', 'logs', 'done'])).stdout).toBe('from done\n')
  const again = await instance.exec(['coordinator', 'rm', 'done'])
  expect(again).toMatchObject({ code: 0, stdout: 'done\n', stderr: expect.stringContaining('is gone already') })
})

test('--record forgets exit record and log too, and the coordinator does not find them again', async () => {
  await kept('secret')
  const { removed } = await instance.json<{ removed: RemoveResult[] }>(['rm', 'secret', '--record'])
  expect(removed).toMatchObject([{ worker: { name: 'secret', state: 'ended' }, exit: { exitCode: 3 }, notices: [] }])
  expect(await failure(['coordinator', 'inspect', 'secret', '--json'])).toMatchObject({
    code: 'not-found',
    exitCode: 5,
  })
  const files = await instance.exec(['sh', '-c', 'ls /var/lib/hal9000/sessions /var/lib/hal9000/logs/workers'])
  expect(files.stdout).not.toContain(removed[0]?.worker.request)
  await instance.hal(['restart'])
  expect(await failure(['coordinator', 'inspect', 'secret', '--json'])).toMatchObject({ code: 'not-found' })
  // The name is free.
  expect((await instance.spawn(['-n', 'secret', project, ...SLEEP])).notices).toEqual([])
})

test('what runs is never removed: exit 9, and how to stop it', async () => {
  const { worker } = await instance.spawn(['-n', 'runs', project, ...SLEEP])
  for (const option of [[], ['--record']]) {
    expect(await failure(['coordinator', 'rm', 'runs', ...option, '--json'])).toEqual({
      code: 'wrong-state',
      exitCode: 9,
      message: 'Worker "runs" has not ended: it is running.',
      hint: 'coordinator stop runs',
    })
  }
  expect(await instance.list()).toMatchObject([{ id: worker.id, state: 'running' }])
})

test('of several names those that can be removed are, and the exit code tells of the other', async () => {
  await kept('one')
  await kept('two')
  await instance.spawn(['-n', 'runs', project, ...SLEEP])
  const removed = await instance.exec(['coordinator', 'rm', 'one', 'runs', 'two', 'nobody', '--record'])
  expect(removed).toMatchObject({ code: 9, stdout: 'one\ntwo\n' })
  expect(removed.stderr.split('\n')).toEqual([
    'Worker "runs" has not ended: it is running.',
    'Next: coordinator stop runs',
    'No worker is known by "nobody".',
    'Next: coordinator list -a',
    '',
  ])
  expect(await instance.workerContainers()).toEqual([expect.stringMatching(/-runs$/)])
})

test('ten who remove one worker at once are all done', async () => {
  await kept('crowd')
  const crowd = await Promise.all(Array.from({ length: 10 }, () => instance.exec(['coordinator', 'rm', 'crowd'])))
  expect(crowd.map(({ code, stdout }) => [code, stdout])).toEqual(crowd.map(() => [0, 'crowd\n']))
  expect(await instance.workerContainers()).toEqual([])
  expect(await instance.json<WorkerDetail>(['inspect', 'crowd'])).toMatchObject({ exit: { exitCode: 3 } })
})

test('a worker that ended while nobody looked is recorded before it is removed', async () => {
  const { worker } = await instance.spawn(['-n', 'unseen', '--no-rm', project, '--', 'sh', '-c', 'echo seen; exit 4'])
  const removed = () => instance.exec(['coordinator', 'rm', worker.request])
  await until('it has ended', async () => (await removed()).code === 0)
  expect(await instance.json<WorkerDetail>(['inspect', 'unseen'])).toMatchObject({ exit: { exitCode: 4 } })
  expect((await instance.exec(['coordinator', 'logs', 'unseen'])).stdout).toBe('seen\n')
  expect(await instance.workerContainers()).toEqual([])
})

async function failure(command: readonly string[]): Promise<FailureShape> {
  const output = await instance.exec(command)
  const { error } = JSON.parse(output.stdout) as { error: FailureShape }
  expect(output.code).toBe(error.exitCode)
  return error
}
