import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import { RequestId } from '../contract/names.ts'
import { SpawnRequest, type SpawnRequestInput } from '../contract/request.ts'
import type { Spawned } from '../contract/worker.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { NOW } from '../domain/testing.ts'
import { fromOrder } from '../domain/worker-view.ts'
import type { Found } from '../project/directory.ts'
import { aContext, type TestContext } from '../workers/testing.ts'
import { Pulls } from '../workers/pulls.ts'
import { SingleFlight } from '../workers/single-flight.ts'
import { takeBack } from '../workers/take-back.ts'
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

const stay = new AbortController().signal

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
let context: DeliverContext & { pulls: Pulls }

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
    pulls: new Pulls(base, { stall: 60_000, most: 10 }),
    arriving: new SingleFlight(),
    explained: (failure) => Promise.resolve(failure),
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
  const first = deliver(request(), context, stay)
  const { resolve } = await look(0)
  const second = deliver(request(), context, stay)
  resolve(FOUND)
  await expect.poll(() => queue.jobs.size).toBe(1)
  await done()
  const [one, two] = await Promise.all([first, second])
  expect(two).toEqual(one)
  expect([looks.length, queue.added.length]).toEqual([1, 1])
  expect(base.roster.underway.size).toBe(0)
  // And once it is over.
  expect(await deliver(request(), context, stay)).toEqual(one)
})

test('what is refused is told to both, and can be asked again', async () => {
  const both = [deliver(request(), context, stay), deliver(request(), context, stay)]
  const { reject } = await look(0)
  const failure = new Failure('engine-unreachable', 'Docker is away.')
  reject(failure)
  expect(await Promise.allSettled(both)).toEqual(both.map(() => ({ status: 'rejected', reason: failure })))
  const again = deliver(request(), context, stay)
  ;(await look(1)).resolve(FOUND)
  await expect.poll(() => queue.jobs.size).toBe(1)
  await done()
  expect((await again).worker.state).toBe('running')
})

test('--no-wait is answered when it is queued, also when it is asked again, and by its end when it has one', async () => {
  const queued = deliver(request({ noWait: true }), context, stay)
  ;(await look(0)).resolve(FOUND)
  expect(await queued).toMatchObject({ worker: { state: 'queued', id: '' }, run: { mode: 'detached' } })
  expect(await deliver(request({ noWait: true }), context, stay)).toMatchObject({ worker: { state: 'queued' } })
  await done()
  expect(await deliver(request({ noWait: true }), context, stay)).toMatchObject({ worker: { state: 'running' } })
})

test('its time to wait begins when it has been taken in', async () => {
  const queued = deliver(request({ noWait: true, wait: '5s' }), context, stay)
  const { resolve } = await look(0)
  now += 2_000
  resolve(FOUND)
  await queued
  expect(queue.added).toMatchObject([{ receivedAt: NOW, waitUntil: NOW + 7_000 }])
})

test('a full queue, or one that does not take it, leaves nothing behind', async () => {
  queue.waiting = 10
  const full = deliver(request(), context, stay)
  ;(await look(0)).resolve(FOUND)
  await expect(full).rejects.toMatchObject({ code: 'queue-full', hint: 'try again later; coordinator queue' })
  queue.waiting = 0
  const away = new Failure('not-ready', 'Redis is away.')
  queue.add = () => Promise.reject(away)
  const refused = deliver(request(), context, stay)
  ;(await look(1)).resolve(FOUND)
  await expect(refused).rejects.toBe(away)
  expect(base.roster.underway.size).toBe(0)
})

test('what could not be stored is told with what is wrong with the disk', async () => {
  const full = new Failure('not-ready', 'The state directory is full.')
  context.explained = async (failure) => (failure.message === 'Redis is away.' ? full : failure)
  queue.add = () => Promise.reject(new Failure('not-ready', 'Redis is away.'))
  const refused = deliver(request(), context, stay)
  ;(await look(0)).resolve(FOUND)
  await expect(refused).rejects.toBe(full)
})

describe('an image that has to be pulled', () => {
  const PULLED = 'ghcr.io/me/claude:1'
  const THERE = { id: 'sha256:2', labels: { 'hal9000.worker-protocol': '1', 'hal9000.agent': '["claude"]' } }
  const pulled = { settings: { image: PULLED, pull: 'missing' as const } }
  let image: PromiseWithResolvers<typeof THERE>

  beforeEach(() => {
    image = Promise.withResolvers()
    base.engine.registry.set(PULLED, image.promise)
    base.engine.images.set(IMAGE, { ...THERE, labels: { 'hal9000.worker-protocol': '1' } })
    context.intake.image = (reference) => base.engine.image(reference)
  })

  const pulling = (id = 'r-request-1'): Promise<void> =>
    expect.poll(() => context.pulls.of(RequestId.parse(id))).toMatchObject({ image: PULLED })

  test('is there before anything is queued; what it says of itself is still heard, and its time begins then', async () => {
    const answered = deliver(request({ ...pulled, command: undefined, wait: '5s', noWait: true }), context, stay)
    ;(await look(0)).resolve(FOUND)
    await pulling()
    expect([...base.roster.underway.values()]).toMatchObject([
      { state: 'queued', order: { name: expect.stringMatching(/^worker-/), image: PULLED, command: [] } },
    ])
    expect(queue.added).toEqual([])
    now += 600_000
    image.resolve(THERE)
    expect(await answered).toMatchObject({ worker: { state: 'queued', name: expect.stringMatching(/^claude-/) } })
    expect(queue.added).toMatchObject([{ command: ['claude'], waitUntil: NOW + 605_000 }])
  })

  test('is given up with the last client that waits for it, and only then', async () => {
    const [first, second] = [new AbortController(), new AbortController()]
    const both = [deliver(request(pulled), context, first.signal), deliver(request(pulled), context, second.signal)]
    ;(await look(0)).resolve(FOUND)
    await pulling()
    const gone = new Failure('interrupted', 'The client has gone.')
    first.abort(gone)
    await expect(both[0]).rejects.toBe(gone)
    await pulling()
    second.abort(gone)
    await expect(both[1]).rejects.toBe(gone)
    await expect.poll(() => base.roster.underway.size).toBe(0)
    expect([queue.added, base.events.at(-1)?.kind]).toEqual([[], 'image-pull-failed'])
  })

  test('is of no account for what is queued already: that goes on without its client', async () => {
    const client = new AbortController()
    const left = deliver(request(), context, client.signal)
    const { resolve } = await look(0)
    client.abort(new Failure('interrupted', 'The client has gone.'))
    await expect(left).rejects.toMatchObject({ code: 'interrupted' })
    resolve(FOUND)
    await expect.poll(() => queue.jobs.size).toBe(1)
  })

  test('can be taken back, and whoever waits is told', async () => {
    const answered = deliver(request({ ...pulled, name: 'w1' }), context, stay)
    ;(await look(0)).resolve(FOUND)
    await pulling()
    const [underway] = base.roster.underway.values()
    if (underway === undefined) throw new Error('it is not seen')
    const places = { ...context, room: { cancel: () => false } }
    expect(await takeBack(fromOrder(underway.order, underway.state), places)).toBe(true)
    await expect(answered).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 })
    await expect.poll(() => base.roster.underway.size).toBe(0)
    expect(base.events.filter(({ request }) => request !== null)).toMatchObject([
      { kind: 'worker-ended', worker: 'w1' },
    ])
  })

  test.each([
    ['is not in its registry', pulled, 'pull-failed', 'docker pull ghcr.io/me/claude:1'],
    ['is not to be pulled', { settings: { image: PULLED } }, 'image-missing', '--pull missing'],
    [
      'is one of ours',
      { settings: { image: 'hal9000/worker:9', pull: 'always' as const } },
      'image-missing',
      './hal9000 build',
    ],
  ])('and %s refuses the request at once', async (_what, fields, code, hint) => {
    base.engine.registry.delete(PULLED)
    const refused = deliver(request(fields), context, stay)
    ;(await look(0)).resolve(FOUND)
    await expect(refused).rejects.toMatchObject({ code, exitCode: 5, hint: expect.stringContaining(hint) })
    expect([queue.added, base.roster.underway.size]).toEqual([[], 0])
  })

  test('is pulled again where that is wanted, and fails where it cannot be, though it is here', async () => {
    base.engine.images.set(PULLED, THERE)
    const newer = { ...THERE, labels: { ...THERE.labels, 'hal9000.agent': '["newer"]' } }
    base.engine.registry.set(PULLED, newer)
    const always = { settings: { image: PULLED, pull: 'always' as const }, command: undefined, noWait: true }
    const answered = deliver(request(always), context, stay)
    ;(await look(0)).resolve(FOUND)
    expect((await answered).worker.command).toEqual(['newer'])
    base.engine.registry.delete(PULLED)
    const refused = deliver(request({ ...always, id: 'r-request-2' }), context, stay)
    ;(await look(1)).resolve(FOUND)
    await expect(refused).rejects.toMatchObject({ code: 'pull-failed' })
  })
})
