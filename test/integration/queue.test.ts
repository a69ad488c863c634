import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { CoordinatorEvent } from '../../coordinator/contract/event.ts'
import type { FailureShape } from '../../coordinator/contract/failure.ts'
import type { QueuedRequest } from '../../coordinator/contract/queue.ts'
import type { SpawnResult } from '../../coordinator/contract/worker.ts'
import { control, controlAll } from '../support/control.ts'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { succeed, until } from '../support/run.ts'

const SLEEP = ['--', 'sleep', '300']
/** How many orders wait for room; the others wait in the queue itself. */
const IN_ROOM = 4

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up({ HAL9000_MAX_WORKERS: '1' })
  project = await instance.project('work')
})
afterEach(async () => {
  await instance.stopAll()
})
afterAll(() => instance.down())

/** One worker that runs, and requests for others that wait behind it; their ids. */
async function line(...names: string[]): Promise<string[]> {
  await instance.spawn(['-n', 'first', project, ...SLEEP])
  const ids: string[] = []
  for (const name of names) ids.push(await later(name))
  if (names.length > 0) await until('why they wait is known', async () => (await queue())[0]?.because?.includes('run'))
  return ids
}

/** The id of a request that nobody waits for. */
async function later(name: string, ...options: string[]): Promise<string> {
  const queued = await instance.exec(['spawn', '--no-wait', '-n', name, ...options, project, ...SLEEP])
  expect(queued.code).toBe(0)
  return queued.stdout.trim()
}

async function queue(): Promise<QueuedRequest[]> {
  return (await instance.json<{ requests: QueuedRequest[] }>(['queue'])).requests
}

/** The last thing that was told of a request. */
async function lastEvent(request: string): Promise<CoordinatorEvent | undefined> {
  const { stdout } = await instance.exec(['coordinator', 'events', '--json', '--tail', '1000'])
  const events = stdout.split('\n').filter(Boolean)
  return events.map((event) => JSON.parse(event) as CoordinatorEvent).findLast((event) => event.request === request)
}

async function failure(command: readonly string[]): Promise<FailureShape> {
  const output = await instance.exec([...command, '--json'])
  const { error } = JSON.parse(output.stdout) as { error: FailureShape }
  expect(output.code).toBe(error.exitCode)
  return error
}

const FULL = '1 of 1 workers run (HAL9000_MAX_WORKERS)'

test('what waits stands in line, and says why', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const ids = await line(...names)
  const waiting = await queue()
  expect(waiting.map(({ name, request, position, state }) => [name, request, position, state])).toEqual(
    names.map((name, index) => [name, ids[index], index + 1, 'queued']),
  )
  expect(waiting.map(({ because }) => because)).toEqual([
    FULL,
    'behind 1 other',
    ...[2, 3, 4, 5].map((count) => `behind ${count} others`),
  ])
  const [first] = waiting
  expect(Date.parse(first?.waitUntil ?? '') - Date.parse(first?.queuedAt ?? '')).toBeGreaterThanOrEqual(60_000)
  const { stdout } = await instance.hal(['queue'])
  const rows = stdout.trim().split('\n')
  expect(rows[0]).toMatch(/^POS +REQUEST +NAME +STATE +PROJECT +AGE +LEFT +WAITS FOR$/)
  expect(rows[1]).toMatch(
    new RegExp(`^1 +${ids[0]?.slice(0, 12)} +a +queued +${project} +\\d+ s +\\d+ [sm] +1 of 1 workers run`),
  )
  expect(rows).toHaveLength(7)
})

test('a request is taken back by its id, the beginning of it, or a name, wherever it waits', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const [a = '', b = '', , , , f = ''] = await line(...names)
  const [short] = (await instance.hal(['queue'])).stdout.split('\n').flatMap((row) => /^2 +(\S+)/.exec(row)?.[1] ?? [])
  // By itself: where one that waits for room goes, the next comes off the queue.
  expect(await instance.hal(['queue', 'cancel', 'f'])).toMatchObject({ code: 0, stdout: 'f\n', stderr: '' })
  const cancelled = await instance.hal(['queue', 'cancel', 'e', short ?? '', a])
  expect(cancelled).toMatchObject({ code: 0, stdout: 'e\nb\na\n', stderr: '' })
  expect((await queue()).map(({ name, position }) => `${position} ${name}`)).toEqual(['1 c', '2 d'])
  for (const request of [a, b, f]) {
    expect(await lastEvent(request)).toMatchObject({
      kind: 'worker-ended',
      message: expect.stringContaining('cancelled'),
    })
    // Who asks again with its id does not begin it anew.
    const again = await control(instance, 'POST', '/v1/workers', { id: request, project, name: 'again' })
    expect(again.body.error).toMatchObject({ code: 'interrupted' })
  }
  await instance.exec(['coordinator', 'stop', 'first'])
  await until('the next runs', async () =>
    (await instance.list('--filter', 'state=running')).some(({ name }) => name === 'c'),
  )
  expect((await instance.list('-a')).map(({ name }) => name)).not.toContain('a')
})

test.each([1, IN_ROOM + 1])('whoever waits for the one in place %i is told: exit 130', async (place) => {
  await line(...Array.from({ length: place - 1 }, (_, index) => `n${index}`))
  const waiting = instance.exec(['spawn', '-d', '-n', 'wanted', project, ...SLEEP])
  await until('it waits', async () => (await queue()).some(({ name }) => name === 'wanted'))
  expect(await instance.exec(['coordinator', 'queue', 'cancel', 'wanted'])).toMatchObject({ code: 0 })
  expect(await waiting).toMatchObject({ code: 130, stderr: expect.stringContaining('taken back') })
})

test('what stop takes back leaves the same event', async () => {
  const [request = ''] = await line('a')
  expect(await instance.exec(['coordinator', 'stop', 'a'])).toMatchObject({ code: 0, stdout: 'a\n' })
  expect(await lastEvent(request)).toMatchObject({
    kind: 'worker-ended',
    worker: 'a',
    message: expect.stringContaining('cancelled'),
  })
})

test('what waits no more is not taken back: exit 9 and how to stop it; what nobody knows: exit 5', async () => {
  const { worker } = await instance.spawn(['-n', 'runs', project, ...SLEEP])
  for (const ref of ['runs', worker.request, worker.request.slice(0, 8)]) {
    expect(await failure(['coordinator', 'queue', 'cancel', ref])).toMatchObject({
      code: 'wrong-state',
      exitCode: 9,
      hint: 'coordinator stop runs',
    })
  }
  expect(await instance.list()).toMatchObject([{ name: 'runs', state: 'running' }])
  await instance.exec(['coordinator', 'stop', 'runs'])
  expect(await failure(['coordinator', 'queue', 'cancel', 'runs'])).toMatchObject({
    code: 'wrong-state',
    hint: 'coordinator inspect runs',
  })
  expect(await failure(['coordinator', 'queue', 'cancel', 'nobody'])).toMatchObject({
    code: 'not-found',
    exitCode: 5,
    hint: 'coordinator queue',
  })
})

test('two requests for one name are not told apart by it', async () => {
  const [one = '', two = ''] = await line('same', 'same')
  const ambiguous = await failure(['coordinator', 'queue', 'cancel', 'same'])
  expect(ambiguous).toMatchObject({ code: 'ambiguous', exitCode: 5 })
  for (const id of [one, two]) expect(ambiguous.message).toContain(id)
  expect(await instance.exec(ambiguous.hint?.split(' ') ?? [])).toMatchObject({ code: 0 })
  expect((await queue()).map(({ request }) => request)).toEqual([two])
})

test('a request that nobody waits for has its time as well, and its answer', async () => {
  await line(...Array.from({ length: IN_ROOM }, (_, index) => `n${index}`))
  const request = await later('hasty', '--wait', '1s')
  await until('its time is over', async () => !(await queue()).some(({ name }) => name === 'hasty'))
  expect(await lastEvent(request)).toMatchObject({
    kind: 'worker-failed',
    message: expect.stringContaining('longer than it may'),
  })
  const again = await control(instance, 'POST', '/v1/workers', { id: request, project, name: 'hasty' })
  expect(again).toMatchObject({ status: 429, body: { error: { code: 'queue-timeout' } } })
  expect(await queue()).toHaveLength(IN_ROOM)
})

test('the same request many times at once is one worker, and one answer', async () => {
  const id = 'r-many-at-once'
  const answers = await controlAll(
    instance,
    'POST',
    '/v1/workers',
    Array.from({ length: 10 }, () => ({ id, project, command: ['sleep', '300'] })),
  )
  const workers = answers.map(({ body }) => (body as unknown as SpawnResult).worker)
  expect(new Set(workers.map((worker) => `${worker.id} ${worker.name} ${worker.state}`)).size).toBe(1)
  expect(await instance.list()).toMatchObject([{ id: workers[0]?.id, state: 'running' }])
  expect(await queue()).toEqual([])
})

test('after a restart who has waited too long is told so; what was begun is gone on with', async () => {
  const { worker } = await instance.spawn(['-n', 'first', project, ...SLEEP])
  const begun = await later('begun', '--wait', '10s')
  for (let index = 1; index < IN_ROOM; index += 1) await later(`n${index}`)
  const late = await later('late', '--wait', '10s')
  const patient = await later('patient', '--wait', '10m')
  await until('all wait', async () => (await queue()).length === IN_ROOM + 2)
  const over = Math.max(
    ...(await queue())
      .filter(({ request }) => [begun, late].includes(request))
      .map(({ waitUntil }) => Date.parse(waitUntil ?? '')),
  )
  const service = '/run/hal9000/service/coordinator'
  expect(await instance.exec(['s6-svc', '-wD', '-d', service])).toMatchObject({ code: 0 })
  // Room for one.
  await succeed('docker', ['stop', '--time', '0', worker.id])
  await until('their time is over', async () => Date.now() > over + 2_000)
  expect(await instance.exec(['s6-svc', '-u', service])).toMatchObject({ code: 0 })
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0)
  await until('who came too late is told', async () => (await lastEvent(late))?.kind === 'worker-failed')
  const running = async () => (await instance.list('--filter', 'state=running')).map(({ request }) => request)
  const started: string[] = []
  await until(
    'all of the others have had their turn',
    async () => {
      for (const request of await running()) {
        if (!started.includes(request)) started.push(request)
        await instance.exec(['coordinator', 'stop', '--time', '0', request])
      }
      return (await queue()).length === 0 && (await running()).length === 0
    },
    40_000,
  )
  expect(started).toContain(begun)
  expect(started).toContain(patient)
  expect(started).not.toContain(late)
}, 120_000)

test('a request that waits is known to a coordinator from its first answer on', async () => {
  await line()
  for (let turn = 0; turn < 3; turn += 1) {
    await later('a')
    await killCoordinator()
    const stopped = await instance.exec(['coordinator', 'stop', 'a'])
    expect(stopped).toMatchObject({ code: 0, stdout: 'a\n', stderr: expect.stringContaining('taken back') })
    await later('b')
    await killCoordinator()
    expect((await queue()).map(({ name }) => name)).toEqual(['b'])
    await killCoordinator()
    expect(await instance.exec(['coordinator', 'queue', 'cancel', 'b'])).toMatchObject({ code: 0 })
  }
}, 120_000)

test('a coordinator that starts without Redis knows what runs, and says that it has not read the queue', async () => {
  await line('a')
  await instance.exec(['s6-svc', '-wD', '-d', '/run/hal9000/service/redis'])
  await killCoordinator()
  const unread = { code: 'not-ready', message: 'The requests that wait in Redis could not be read yet.' }
  expect(await failure(['coordinator', 'stop', 'a'])).toMatchObject(unread)
  for (const [method, path] of [
    ['GET', '/v1/queue'],
    ['POST', '/v1/queue/a/cancel'],
  ] as const)
    expect(await control(instance, method, path, {})).toMatchObject({ status: 503, body: { error: unread } })
  expect(await instance.list()).toMatchObject([{ name: 'first', state: 'running' }])
  await instance.exec(['s6-svc', '-u', '/run/hal9000/service/redis'])
  expect(await instance.exec(['coordinator', 'stop', 'a', 'first'])).toMatchObject({ code: 0 })
})

async function killCoordinator(): Promise<void> {
  const { pid } = await until('there is a coordinator', () => service(instance, 'coordinator'))
  await signal(instance, 'KILL', pid)
}
