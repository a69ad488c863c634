import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { Spawned } from '../contract/worker.ts'
import { anOrder, aRecord, NOW } from '../domain/testing.ts'
import { fromOrder } from '../domain/worker-view.ts'
import { inTime, takeBack, type TakeBackContext } from './take-back.ts'
import { aContext, type TestContext } from './testing.ts'

/** A place where orders wait; whoever is taken back is told why. */
class Place {
  readonly waiting = new Set<RequestId>()
  readonly told: [RequestId, Failure][] = []
  /** Why those wait that wait for the engine. */
  trouble: Failure | undefined

  cancel(request: RequestId, failure: Failure): boolean {
    if (!this.waiting.delete(request)) return false
    this.told.push([request, failure])
    return true
  }
}

const order = anOrder('w1', { waitUntil: NOW + 60_000 })
const worker = fromOrder(order, 'queued')

let base: TestContext
let room: Place
let queue: Place
let outage: Place
let pulls: Place
let context: TakeBackContext

beforeEach(async () => {
  base = await aContext()
  room = new Place()
  queue = new Place()
  outage = new Place()
  pulls = new Place()
  const cancel: TakeBackContext['queue']['cancel'] = async (request, failure) => queue.cancel(request, failure)
  context = { ...base, room, pulls, outage, queue: { cancel } }
  context.roster.underway.set(order.request, { order, state: 'queued' })
})
afterEach(async () => {
  vi.useRealTimers()
  await base[Symbol.asyncDispose]()
})

test.each(['queue', 'room', 'pulls', 'outage'] as const)(
  'what waits in the %s is taken back, told of once, and an event stays',
  async (where) => {
    const place = { queue, room, pulls, outage }[where]
    place.waiting.add(order.request)
    expect(await takeBack(worker, context)).toBe(true)
    expect(place.told).toMatchObject([[order.request, { code: 'interrupted', exitCode: 130 }]])
    expect(await context.roster.workers()).toEqual([])
    expect(base.events).toEqual([
      {
        kind: 'worker-ended',
        worker: 'w1',
        project: '/home/me/proj',
        request: order.request,
        message: 'cancelled: its request was taken back',
      },
    ])
    expect(await takeBack(worker, context)).toBe(false)
    expect(base.events).toHaveLength(1)
  },
)

test('what is on its way from the queue to the room is taken back there', async () => {
  let looks = 0
  context.queue.cancel = async () => {
    looks += 1
    if (looks === 2) room.waiting.add(order.request)
    return false
  }
  expect(await takeBack(worker, context)).toBe(true)
  expect(room.told).toHaveLength(1)
})

test('what waits again after a crash is not taken back: its worker may run', async () => {
  vi.useFakeTimers()
  queue.waiting.add(order.request)
  await context.records.put(aRecord('w1'))
  expect(await takeBack(worker, context)).toBe(false)
  void inTime(order, new Promise(() => {}), context)
  await vi.advanceTimersByTimeAsync(60_000)
  expect([queue.told, context.roster.underway.has(order.request), base.events]).toEqual([[], true, []])
})

test('unless it waits for the engine: what that has of it is ended and told once it is back', async () => {
  outage.waiting.add(order.request)
  await context.records.put(aRecord('w1'))
  expect(await takeBack(worker, context)).toBe(true)
  expect(outage.told).toMatchObject([[order.request, { code: 'interrupted' }]])
  expect(base.events).toEqual([])
})

test('what waits no more stays on its way', async () => {
  context.roster.underway.set(order.request, { order, state: 'starting' })
  expect(await takeBack(worker, context)).toBe(false)
  expect(context.roster.underway.has(order.request)).toBe(true)
  expect(base.events).toEqual([])
})

test('nobody takes it up in time: it is taken back, the client and the events are told', async () => {
  vi.useFakeTimers()
  queue.waiting.add(order.request)
  const answer = Promise.withResolvers<Spawned>()
  const settled = inTime(order, answer.promise, context)
  await vi.advanceTimersByTimeAsync(59_000)
  expect(queue.told).toEqual([])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(queue.told).toMatchObject([[order.request, { code: 'queue-timeout', exitCode: 8 }]])
  expect(context.roster.underway.has(order.request)).toBe(false)
  expect(base.events).toMatchObject([
    { kind: 'worker-failed', worker: 'w1', message: 'Worker "w1" waited in the queue longer than it may.' },
  ])
  answer.reject(queue.told[0]?.[1])
  await expect(settled).rejects.toMatchObject({ code: 'queue-timeout' })
})

test('nobody takes it up in time because the engine is away: that is what it is told', async () => {
  vi.useFakeTimers()
  queue.waiting.add(order.request)
  outage.trouble = new Failure('engine-unreachable', 'It is away.')
  void inTime(order, new Promise(() => {}), context)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(queue.told).toMatchObject([[order.request, { code: 'engine-unreachable', exitCode: 3 }]])
})

test('it is taken up in time, and may take what time it needs', async () => {
  vi.useFakeTimers()
  const answer = Promise.withResolvers<Spawned>()
  const settled = inTime(order, answer.promise, context)
  await vi.advanceTimersByTimeAsync(120_000)
  expect([context.roster.underway.has(order.request), base.events]).toEqual([true, []])
  const spawned = { worker, notices: [], timings: {} }
  answer.resolve(spawned)
  expect(await settled).toBe(spawned)
})

test('an answer ends the watch', async () => {
  vi.useFakeTimers()
  const failure = new Failure('name-in-use', 'It is taken.')
  await expect(inTime(order, Promise.reject(failure), context)).rejects.toBe(failure)
  expect(vi.getTimerCount()).toBe(0)
})

test('a queue that does not answer keeps the request, for its turn', async () => {
  vi.useFakeTimers()
  const away = { ...context, queue: { cancel: () => Promise.reject(new Error('away')) } }
  void inTime(order, new Promise(() => {}), away)
  await vi.advanceTimersByTimeAsync(60_000)
  expect([context.roster.underway.has(order.request), base.events]).toEqual([true, []])
})
