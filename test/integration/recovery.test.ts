import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { SpawnResult, Status } from '../../coordinator/contract/worker.ts'
import { control } from '../support/control.ts'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterEach(() => instance.stopAll())
afterAll(() => instance.down())

test('kill -9 of the coordinator in a burst of spawns: every request comes to exactly one worker', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `burst-${index}`)
  const burst = names.map((name, index) =>
    instance.exec(['spawn', index % 2 ? '--no-wait' : '-d', '--json', '-n', name, project, '--', 'sleep', '300']),
  )
  for (const enough of [1, 5, 9]) {
    await until(`${enough} containers`, async () => (await instance.workerContainers()).length >= enough, 40_000)
    await kill('coordinator')
  }
  const outcomes = (await Promise.all(burst)).map(({ code, stdout }) => (code === 0 ? '' : stdout))
  expect(outcomes).toEqual(names.map(() => ''))
  await until('all run', async () => (await instance.list()).filter(({ state }) => state === 'running').length === 10)
  const listed = await instance.list('-a')
  expect(listed.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(names.map((name) => `${name} running`))
  expect(await instance.workerContainers()).toHaveLength(10)
  // Each runs its command, not only a container of its name.
  for (const { request, io } of listed.slice(0, 3)) {
    expect([io, await instance.json(['inspect', request])]).toMatchObject([
      'session',
      { worker: { command: ['sleep', '300'] } },
    ])
  }
  await instance.exec(['coordinator', 'stop-all', '--yes'])
  expect(await instance.workerContainers()).toEqual([])
}, 120_000)

test('running workers survive a kill -9 of coordinator and of Redis, and both serve again', async () => {
  const { worker } = await instance.spawn(['-n', 'through', project, '--', 'sleep', '300'])
  for (const service of ['coordinator', 'redis'] as const) {
    await kill(service)
    await ready()
    expect(await instance.list()).toMatchObject([{ name: 'through', id: worker.id, state: 'running' }])
    const again = await instance.exec(['spawn', project, '--', 'echo', `after ${service}`])
    expect(again).toMatchObject({ code: 0, stdout: `after ${service}\n` })
  }
  await instance.exec(['coordinator', 'stop', 'through'])
})

test('what ends while the coordinator is away is recorded when it is back, with code and output', async () => {
  const script = 'until [ -e go ]; do sleep 0.1; done; echo out; exit 5'
  const { worker } = await instance.spawn(['-n', 'meanwhile', project, '--', 'sh', '-c', script])
  const service = '/run/hal9000/service/coordinator'
  await instance.exec(['s6-svc', '-wD', '-d', service])
  await writeFile(join(project, 'go'), '')
  const state = ['container', 'inspect', '--format', '{{.State.Status}}', worker.id]
  await until('it has ended', async () => (await succeed('docker', state)) === 'exited')
  await instance.exec(['s6-svc', '-u', service])
  await ready()
  expect(await instance.ended('meanwhile')).toMatchObject({ exit: { reason: 'exited', exitCode: 5 } })
  expect(await instance.exec(['coordinator', 'logs', 'meanwhile'])).toMatchObject({ code: 0, stdout: 'out\n' })
  expect(await instance.workerContainers()).toEqual([])
})

test('an emptied Redis removes nothing: workers run on, records are there, spawns go on', async () => {
  const { worker } = await instance.spawn(['-n', 'kept', project, '--', 'sleep', '300'])
  const before = await instance.list('-a')
  const flush = ['redis-cli', '-s', '/run/hal9000/redis/redis.sock', 'FLUSHALL']
  expect(await instance.exec(flush)).toMatchObject({ code: 0, stdout: 'OK\n' })
  expect(await instance.list('-a')).toEqual(before)
  await kill('coordinator')
  await ready()
  expect(await instance.list('-a')).toEqual(before)
  expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
  expect(await instance.list()).toMatchObject([{ id: worker.id, state: 'running' }])
})

test('a supervisor that is killed too comes back, and one coordinator with it', async () => {
  const supervisors = '$(cat /proc/[0-9]*/stat | sed -n "s/^\\([0-9]*\\) (s6-supervise).*/\\1/p")'
  expect(await instance.exec(['sh', '-c', `kill -9 ${supervisors}`])).toMatchObject({ code: 0 })
  await until('all services are up', async () => {
    const up = ['sh', '-c', 'for s in coordinator redis; do s6-svstat -o up,ready /run/hal9000/service/$s; done']
    return (await instance.exec(up)).stdout === 'true true\ntrue true\n'
  })
  await ready()
  const count = ['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -o "[d]aemon.cjs" | wc -l']
  expect((await instance.exec(count)).stdout).toBe('1\n')
})

test('a spawn whose coordinator dies before the queue knows of its success is found again, not run twice', async () => {
  expect(await instance.hal(['up'], { env: { HAL9000_MAX_WORKERS: '1' } })).toMatchObject({ code: 0 })
  await instance.spawn(['-n', 'first', project, '--', 'sleep', '300'])
  const command = ['sh', '-c', 'echo ran >>runs; sleep 300']
  const send = () => control(instance, 'POST', '/v1/workers', { id: 'r-found-again', name: 'second', project, command })
  const answer = send()
  const active = async (): Promise<number | null> => (await instance.json<Status>(['status'])).queue.active
  await until('the second waits for room', async () => (await active()) === 1)
  // From here on Redis hears nothing: the spawn succeeds, is answered, and stays unfinished in the queue.
  await kill('redis', '-STOP')
  await instance.exec(['coordinator', 'stop', 'first'])
  const { worker } = (await answer).body as unknown as SpawnResult
  expect(worker).toMatchObject({ name: 'second', state: 'running' })
  await kill('coordinator')
  // Not CONT: it would find the success in its socket.
  await kill('redis')
  await ready()
  expect(await send()).toMatchObject({ status: 200, body: { worker: { id: worker.id } } })
  expect(await instance.list()).toMatchObject([{ name: 'second', id: worker.id, state: 'running' }])
  expect(await readFile(join(project, 'runs'), 'utf8')).toBe('ran\n')
})

/** `kill` is a word of the shell only: the parent has no such program. Fails when there was nothing to signal. */
async function kill(service: 'coordinator' | 'redis', signal = '-9'): Promise<void> {
  // -1 while it is down: to signal that would be to signal everything.
  const script = `pid=$(s6-svstat -o pid /run/hal9000/service/${service}) && [ "$pid" -gt 1 ] && kill ${signal} "$pid"`
  await until(`${service} is signalled`, async () => (await instance.exec(['sh', '-c', script])).code === 0)
}

async function ready(): Promise<void> {
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0)
}
