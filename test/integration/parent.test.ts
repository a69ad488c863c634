import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { processes, service, signal } from '../support/processes.ts'
import { run, succeed, until } from '../support/run.ts'
import { shown } from '../support/traces.ts'

let instance: Instance
let project: string
let worker: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  worker = (await instance.spawn(['-n', 'stays', project, '--', 'sleep', '1000'])).worker.id
})
afterAll(() => instance.down())

const ready = () => instance.exec(['coordinator', 'ready'])
const untilReady = () => until('it is ready', async () => (await ready()).code === 0)
/** The worker runs as it did before, is known, and has its network. */
async function workerIsWell(): Promise<void> {
  await until('the worker is known', async () =>
    (await instance.list()).some(({ id, state }) => id === worker && state === 'running'),
  )
  expect(await succeed('docker', ['exec', worker, 'ls', '/sys/class/net'])).toContain('eth0')
}

describe.each(['redis', 'coordinator', 'dashboard'])('the service %s', (name) => {
  test.each(['its process', 'its supervisor'])('is back when %s is killed, once, and spawn works', async (victim) => {
    const before = await service(instance, name)
    const pid = victim === 'its process' ? before?.pid : before?.parent
    await signal(instance, 'KILL', pid ?? 0)
    const after = await until(`${name} is back`, async () => {
      const now = await service(instance, name)
      return now !== undefined && now.pid !== before?.pid && now.name === before?.name && now
    })
    await untilReady()
    const alike = (await processes(instance)).filter(({ command }) => command === after.command)
    expect(alike).toMatchObject([{ pid: after.pid }])
    expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
    await workerIsWell()
  })
})

test('it is ready only while Redis answers, for the health check too', async () => {
  const health = () => instance.exec(['/usr/lib/hal9000/healthcheck'])
  const redis = (option: string) =>
    succeed('docker', ['exec', instance.parent, 's6-svc', option, '/run/hal9000/service/redis'])
  expect([(await ready()).code, (await health()).code]).toEqual([0, 0])
  await redis('-d')
  await until('it is not ready', async () => (await ready()).code === 4)
  expect(await health()).toMatchObject({ code: 1, stdout: expect.stringContaining('Redis does not answer') })
  await redis('-u')
  await untilReady()
  expect(await health()).toMatchObject({ code: 0 })
})

test('processes whose parents have ended are reaped', async () => {
  await succeed('docker', [
    'exec',
    instance.parent,
    'sh',
    '-c',
    '(sleep 0.1; exit 3) & (sleep 0.2 & exec sleep 0.1) & exit 0',
  ])
  await until(
    'no child of those is left',
    async () => !(await processes(instance)).some(({ name }) => name === 'sleep'),
  )
  expect((await processes(instance)).filter(({ state }) => state === 'Z')).toEqual([])
})

describe('docker stop', () => {
  test.each([
    ['as it is', undefined],
    ['with a coordinator that is stopped and hears nothing', 'STOP'],
  ])('%s ends it clean within 3 s', async (_how, before) => {
    if (before) await signal(instance, before, (await service(instance, 'coordinator'))?.pid ?? 0)
    const stopped = await run('docker', ['stop', instance.parent])
    expect(['0', '143']).toContain(await shown(instance.parent, '{{.State.ExitCode}}'))
    expect(stopped).toMatchObject({ code: 0 })
    expect(stopped.ms).toBeLessThan(6000) // docker's own way there and back included
    expect(await instance.workerContainers()).toHaveLength(1)
    await succeed('docker', ['start', instance.parent])
    await untilReady()
    await workerIsWell()
  })
})

test('docker restart: workers keep their network and their records, and it is ready soon', async () => {
  const before = await instance.list('-a')
  await succeed('docker', ['restart', instance.parent])
  const since = Date.now()
  await untilReady()
  expect(Date.now() - since).toBeLessThan(10_000) // 2 s on a machine that does nothing else
  expect((await instance.list('-a')).map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort())
  await workerIsWell()
})

test('each phase of the start is in the log, with its time', async () => {
  const { stdout } = await instance.hal(['logs'])
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const phases = lines.filter(({ msg }) => msg === 'startup').map(({ phase, ms }) => [phase, typeof ms])
  for (const phase of ['directories', 'services', 'records', 'listening', 'reconciled'])
    expect(phases).toContainEqual([phase, 'number'])
})

test('the engine calls it healthy', async () => {
  const health = () => shown(instance.parent, '{{.State.Health.Status}}')
  const said = await until('the engine has looked', async () => (await health()) !== 'starting' && health(), 30_000)
  expect(said).toBe('healthy')
})
