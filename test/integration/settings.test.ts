import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SpawnResult } from '../../coordinator/contract/worker.ts'
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
