import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import { SpawnRequest, type SpawnRequestInput } from '../contract/request.ts'
import type { Spawned } from '../contract/worker.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { NOW } from '../domain/testing.ts'
import { fromOrder } from '../domain/worker-view.ts'
import type { Found } from '../project/directory.ts'
import { aContext, type TestContext } from '../workers/testing.ts'
import { deliver, type DeliverContext } from './deliver.ts'

const IMAGE = 'hal9000/worker:0.1.0'
const FOUND: Found = {
  type: 'directory',
  path: '/srv/work',
  uid: 1000,
  gid: 1000,
  identity: '1:2',
  projectFile: null,
}

type Job = PromiseWithResolvers<Spawned> & { order: SpawnOrder }

/** A queue as deliver sees it: the same id again changes nothing, and one that is added when it is over hears of nothing. */
class Queue {
  readonly jobs = new Map<RequestId, Job>()
  readonly added: SpawnOrder[] = []
  waiting = 0

  async add(order: SpawnOrder): Promise<{ settled: Promise<Spawned> }> {
    this.added.push(order)
    if (this.jobs.has(order.request)) return { settled: new Promise(() => {}) }
    const job = { ...Promise.withResolvers<Spawned>(), order }
    job.promise.catch(() => {})
    this.jobs.set(order.request, job)
    return { settled: job.promise }
  }

  async answer(request: RequestId): Promise<{ settled: Promise<Spawned> } | undefined> {
    const job = this.jobs.get(request)
    return job && { settled: job.promise }
  }

  async depth(): Promise<{ waiting: number; active: number }> {
    return { waiting: this.waiting, active: 0 }
  }

  settled(): Promise<Spawned> {
    return new Promise(() => {})
  }

  async cancel(): Promise<boolean> {
    return false
  }
}

let now: number
let base: TestContext
let queue: Queue
let looks: PromiseWithResolvers<Found>[]
let context: DeliverContext

beforeEach(async () => {
  now = NOW
  base = await aContext(() => now)
  queue = new Queue()
  looks = []
  context = {
    ...base,
    queue,
    inputs: { keep: async () => {}, claim: async () => {}, drop: () => {}, dropOnceSettled: () => {} },
    outage: { cancel: () => false, trouble: undefined },
    arriving: new Map(),
    maxQueue: 10,
    intake: {
      project: async () => ({
        engineDirectory: '/var/lib/docker',
        homes: [],
        roots: [],
        own: [],
        mounts: async () => [],
        probe: async () => {
          const look = Promise.withResolvers<Found>()
          looks.push(look)
          return await look.promise
        },
      }),
      host: async () => ({ cpus: 4, memory: 8 * 2 ** 30 }),
      image: async () => ({ id: 'sha256:1', labels: { 'hal9000.worker-protocol': '1' } }),
      userFile: async () => null,
      environment: {},
      defaultImage: IMAGE,
      now: base.now,
    },
  }
})
afterEach(() => base[Symbol.asyncDispose]())

function request(fields: Partial<SpawnRequestInput> = {}): SpawnRequest {
  return SpawnRequest.parse({ id: 'r-request-1', project: '/srv/work', command: ['sleep', '9'], ...fields })
}

/** The look at the project, once it is taken; it takes as long as the test wants. */
async function look(index: number): Promise<PromiseWithResolvers<Found>> {
  return await expect
    .poll(() => looks[index])
    .toBeDefined()
    .then(() => looks[index] as PromiseWithResolvers<Found>)
}

/** What the processor answers. */
function spawned(order: SpawnOrder): Spawned {
  return { worker: { ...fromOrder(order, 'running'), id: 'ab'.repeat(32) }, notices: [], timings: {} }
}

/** The processor is done with a request. */
async function done(id = 'r-request-1'): Promise<void> {
  const job = [...queue.jobs.values()].find(({ order }) => order.request === id)
  if (job === undefined) throw new Error('no such job')
  base.roster.underway.delete(job.order.request)
  job.resolve(spawned(job.order))
}

test('the same id while it is taken in is the same request: one order, one answer', async () => {
  const first = deliver(request(), context)
  const { resolve } = await look(0)
  const second = deliver(request(), context)
  resolve(FOUND)
  await expect.poll(() => queue.jobs.size).toBe(1)
  await done()
  const [one, two] = await Promise.all([first, second])
  expect(two).toEqual(one)
  expect([looks.length, queue.added.length]).toEqual([1, 1])
  expect(base.roster.underway.size).toBe(0)
  // And once it is over.
  expect(await deliver(request(), context)).toEqual(one)
  expect(context.arriving.size).toBe(0)
})

test('what is refused is told to both, and can be asked again', async () => {
  const both = [deliver(request(), context), deliver(request(), context)]
  const { reject } = await look(0)
  const failure = new Failure('engine-unreachable', 'Docker is away.')
  reject(failure)
  expect(await Promise.allSettled(both)).toEqual(both.map(() => ({ status: 'rejected', reason: failure })))
  const again = deliver(request(), context)
  ;(await look(1)).resolve(FOUND)
  await expect.poll(() => queue.jobs.size).toBe(1)
  await done()
  expect((await again).worker.state).toBe('running')
})

test('--no-wait is answered when it is queued, also when it is asked again, and by its end when it has one', async () => {
  const queued = deliver(request({ noWait: true }), context)
  ;(await look(0)).resolve(FOUND)
  expect(await queued).toMatchObject({ worker: { state: 'queued', id: '' }, run: { mode: 'detached' } })
  expect(await deliver(request({ noWait: true }), context)).toMatchObject({ worker: { state: 'queued' } })
  await done()
  expect(await deliver(request({ noWait: true }), context)).toMatchObject({ worker: { state: 'running' } })
})

test('its time to wait begins when it has been taken in', async () => {
  const queued = deliver(request({ noWait: true, wait: '5s' }), context)
  const { resolve } = await look(0)
  now += 2_000
  resolve(FOUND)
  await queued
  expect(queue.added).toMatchObject([{ receivedAt: NOW, waitUntil: NOW + 7_000 }])
})

test('a full queue, or one that does not take it, leaves nothing behind', async () => {
  queue.waiting = 10
  const full = deliver(request(), context)
  ;(await look(0)).resolve(FOUND)
  await expect(full).rejects.toMatchObject({ code: 'queue-full', hint: 'try again later; coordinator queue' })
  queue.waiting = 0
  const away = new Failure('not-ready', 'Redis is away.')
  queue.add = () => Promise.reject(away)
  const refused = deliver(request(), context)
  ;(await look(1)).resolve(FOUND)
  await expect(refused).rejects.toBe(away)
  expect(base.roster.underway.size).toBe(0)
})
