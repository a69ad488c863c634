import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatSize } from '../../coordinator/contract/units.ts'
import type { SpawnResult, Status } from '../../coordinator/contract/worker.ts'
import { inspectContainer } from '../support/inspect.ts'
import { Instance } from '../support/instance.ts'

const MB = 2 ** 20

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up({ WORKER_MEMORY: '500m', WORKER_PIDS_LIMIT: '70' })
  project = await instance.project('configured')
  await userFile({ memory: '400m', env: { WHO: 'user', USER_ONLY: 'yes' } })
  await projectFile({
    memory: '300m',
    env: { WHO: 'project' },
    command: ['sh', '-c', 'echo "$WHO $USER_ONLY"; sleep 100'],
  })
})
afterAll(() => instance.down())

test('a flag beats the caller’s environment', async () => {
  const { worker } = await spawned(['--memory', '100m'], { WORKER_MEMORY: '200m' })
  expect((await inspectContainer(worker.id)).HostConfig.Memory).toBe(100 * MB)
})

test('the caller’s environment beats the project file, and may raise', async () => {
  expect((await spawned([], { WORKER_MEMORY: '450m' })).worker.limits.memory).toBe(450 * MB)
})

test('the project file lowers what the user file and the parent say', async () => {
  const { worker, notices } = await spawned([])
  expect((await inspectContainer(worker.id)).HostConfig.Memory).toBe(300 * MB)
  expect(notices).toEqual([])
})

test('the user file beats the parent’s environment, which beats the default', async () => {
  const other = await instance.project('plain')
  const { worker } = await spawned([], {}, other, ['--', 'sleep', '100'])
  expect(worker.limits).toMatchObject({ memory: 400 * MB, pids: 70 })
})

test('environment is put together name by name, and the command may come with the project', async () => {
  const ran = await instance.exec([
    'spawn',
    project,
    '-e',
    'USER_ONLY=flag',
    '--',
    'sh',
    '-c',
    'echo "$WHO $USER_ONLY"',
  ])
  expect(ran.stdout).toBe('project flag\n')
  const { worker } = await spawned([])
  expect(worker.command).toEqual(['sh', '-c', 'echo "$WHO $USER_ONLY"; sleep 100'])
})

test('every limit has a variable of its own, and --no-limits is stronger than all of them', async () => {
  const env = { WORKER_MEMORY: '128m', WORKER_CPUS: '0.25', WORKER_PIDS_LIMIT: '33' }
  const limited = await inspectContainer((await spawned([], env)).worker.id)
  const { Memory, MemorySwap, NanoCpus, PidsLimit } = limited.HostConfig
  expect([Memory, MemorySwap, NanoCpus, PidsLimit]).toEqual([128 * MB, 128 * MB, 0.25e9, 33])
  const other = await instance.project('plain')
  const { worker } = await spawned(['--no-limits'], env, other, ['--', 'sleep', '100'])
  const unlimited = await inspectContainer(worker.id)
  expect([unlimited.HostConfig.Memory, unlimited.HostConfig.NanoCpus, unlimited.HostConfig.PidsLimit]).toEqual([
    0,
    0,
    null,
  ])
})

test('what the caller asks for and the host does not have is refused by its name, with what the host has', async () => {
  const before = await instance.workerContainers()
  const { engine } = await instance.json<Status>(['status'])
  const asked = [
    [['--cpus', '4000'], {}, `--cpus 4000 is more than this host has (${engine?.cpus}).`],
    [[], { WORKER_CPUS: '4000' }, `WORKER_CPUS 4000 is more than this host has (${engine?.cpus}).`],
    [
      [],
      { WORKER_MEMORY: '900t' },
      `WORKER_MEMORY 900 TiB is more than this host has (${formatSize(engine?.memory ?? 0)}).`,
    ],
    [
      [],
      { WORKER_MEMORY: 'much' },
      'WORKER_MEMORY in the caller\'s environment: "much" is not a size such as 512m or 4g.',
    ],
    [
      [],
      { WORKER_PIDS_LIMIT: '3' },
      "WORKER_PIDS_LIMIT in the caller's environment: must be 8 or more: the worker itself needs some processes.",
    ],
  ] as const
  const refused = await Promise.all(
    asked.map(([options, env]) => instance.exec(['spawn', '-d', ...options, project, '--', 'true'], { env })),
  )
  expect(await instance.workerContainers()).toEqual(before)
  expect(refused.map(({ code, stderr }) => [code, stderr.split('\n')[0]])).toEqual(asked.map(([, , says]) => [2, says]))
})

test('a user file that asks for more than the host has is lowered to that, with a notice', async () => {
  await userFile({ memory: '900t' })
  const other = await instance.project('plain')
  const { worker, notices } = await spawned([], {}, other, ['--', 'sleep', '100'])
  const { engine } = await instance.json<Status>(['status'])
  expect((await inspectContainer(worker.id)).HostConfig.Memory).toBe(engine?.memory)
  expect(notices).toEqual([
    `The memory limit of 900 TiB was lowered to the ${formatSize(engine?.memory ?? 0)} that this host has.`,
  ])
  await userFile({ memory: '400m' })
})

test('a project file that is a link refuses the spawn, and says so', async () => {
  const linked = await instance.project('linked')
  await symlink('../configured/hal9000.json', join(linked, 'hal9000.json'))
  const refused = await instance.exec(['spawn', '-d', linked, '--', 'true'])
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('hal9000.json is a link') })
})

test('a project file that would raise or lift limits is not followed, and that is said', async () => {
  const greedy = await instance.project('greedy')
  await writeFile(join(greedy, 'hal9000.json'), JSON.stringify({ memory: '1g', pidsLimit: 90, noLimits: true }))
  const { worker, notices } = await spawned([], {}, greedy, ['--', 'sleep', '100'])
  const { HostConfig } = await inspectContainer(worker.id)
  expect([HostConfig.Memory, HostConfig.PidsLimit]).toEqual([400 * MB, 70])
  expect(notices).toEqual([
    expect.stringContaining('asks for no limits'),
    expect.stringContaining('memory is above the limit of 400 MiB'),
    expect.stringContaining('pidsLimit is above the limit of 70'),
  ])
})

test.each([
  ['is not valid JSON', '{'],
  ['Unrecognized key: "volumes"', '{"volumes":["/:/host"]}'],
  ['memory: "much" is not a size', '{"memory":"much"}'],
])('a project file that %s refuses the spawn, with its path', async (says, text) => {
  const broken = await instance.project('broken')
  const before = await instance.workerContainers()
  await writeFile(join(broken, 'hal9000.json'), text)
  const refused = await instance.exec(['spawn', '-d', '--json', broken, '--', 'true'])
  expect(await instance.workerContainers()).toEqual(before)
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'invalid-value', exitCode: 2 } })
  expect(refused.stdout).toContain(broken)
  expect(JSON.parse(refused.stdout).error.message).toContain(says)
})

/** Spawns, and stops it again: what it was given stays to be seen in the answer, or is looked at before. */
async function spawned(
  options: readonly string[],
  env: Record<string, string> = {},
  where = project,
  command: readonly string[] = [],
): Promise<SpawnResult> {
  await instance.stopAll()
  return await instance.spawn([...options, where, ...command], { env })
}

async function userFile(settings: object): Promise<void> {
  const write = ['sh', '-c', 'cat >/var/lib/hal9000/config/hal9000.json']
  expect(await instance.exec(write, { input: JSON.stringify(settings) })).toMatchObject({ code: 0 })
}

async function projectFile(settings: object): Promise<void> {
  await writeFile(join(project, 'hal9000.json'), JSON.stringify(settings))
}
