import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { Capacity } from '../domain/admission.ts'
import { anEnd, anOrder, aRecord, NOW } from '../domain/testing.ts'
import { finish } from '../workers/finish.ts'
import { aContext, aStarted, type TestContext } from '../workers/testing.ts'
import { Room } from './room.ts'
import { carryOut as spawn, type CarryOutContext } from './carry-out.ts'
import { Outage } from './outage.ts'

const UNBOUNDED: Capacity = { maxWorkers: 0, memoryBudget: null, cpuBudget: null }
const ONE: Capacity = { ...UNBOUNDED, maxWorkers: 1 }

let base: TestContext
let diskFull: boolean
beforeEach(async () => {
  base = await aContext()
  diskFull = false
})
afterEach(() => base[Symbol.asyncDispose]())

function contextWith(capacity: Capacity): CarryOutContext {
  return {
    ...base,
    room: new Room(capacity, base.roster, async () => diskFull),
    outage: new Outage(() => base.engine.containers()),
    network: async () => 'none',
    checkNetwork: async () => {},
    input: async () => null,
  }
}

const order = anOrder('w1', { command: ['sleep', '60'] })
const late = anOrder('late', { waitUntil: NOW - 5_000 })

test('an order whose time to wait is over when its turn comes is not begun', async () => {
  await expect(spawn(late, false, contextWith(UNBOUNDED))).rejects.toMatchObject({ code: 'queue-timeout', exitCode: 8 })
  expect(await base.engine.containers()).toEqual([])
  expect(base.roster.underway.size).toBe(0)
  expect(base.events).toMatchObject([{ kind: 'worker-failed', worker: 'late' }])
})

test('one that a coordinator had begun before it died is gone on with, however late', async () => {
  const { worker } = await spawn(late, true, contextWith(UNBOUNDED))
  expect(worker).toMatchObject({ name: 'late', state: 'running' })
  expect(base.events).toMatchObject([{ kind: 'worker-ready', worker: 'late' }])
})

test('while the disk is full nothing is begun; then it is, or its time is over', async () => {
  diskFull = true
  const spawning = contextWith(UNBOUNDED)
  await expect(spawn(anOrder('w2'), false, { ...spawning, now: () => anOrder().waitUntil })).rejects.toMatchObject({
    code: 'queue-timeout',
    message: expect.stringContaining('the state directory is full'),
  })
  const waiting = spawn(order, false, spawning)
  await expect.poll(() => spawning.room.because).toBe('the state directory is full')
  expect(await base.engine.containers()).toEqual([])
  diskFull = false
  expect((await waiting).worker).toMatchObject({ name: 'w1', state: 'running' })
})

test('one whose worker runs already needs no room', async () => {
  const order = anOrder('own')
  await spawn(order, false, contextWith(UNBOUNDED))
  await aStarted(base, 'other')
  const { worker } = await spawn(order, true, contextWith(ONE))
  expect(worker).toMatchObject({ name: 'own', state: 'running' })
  expect(await base.engine.containers()).toHaveLength(2)
})

test('one that has run and ended is told of, however late', async () => {
  const order = anOrder('late', { waitUntil: NOW - 5_000, command: ['exit', '3'] })
  await spawn(order, true, contextWith(UNBOUNDED))
  for (const container of await base.roster.containers()) await finish(container, base)
  const { worker } = await spawn(order, false, contextWith(UNBOUNDED))
  expect(worker).toMatchObject({ state: 'ended', exitCode: 3 })
})

test("while it waits for room it is known why; taken back it is nobody's failure", async () => {
  await aStarted(base, 'first')
  const context = contextWith(ONE)
  expect(context.room.because).toBeNull()
  const order = anOrder('second')
  const spawned = spawn(order, false, context)
  await expect.poll(() => context.room.because).toBe('1 of 1 workers run (HAL9000_MAX_WORKERS)')
  expect(context.room.cancel(order.request, new Failure('interrupted', 'It was taken back.'))).toBe(true)
  await expect(spawned).rejects.toMatchObject({ code: 'interrupted' })
  expect(context.room.because).toBeNull()
  expect(base.events).toEqual([])
  expect(base.roster.underway.size).toBe(0)
})

test('an order whose input is gone fails before it stops the worker that it would replace', async () => {
  const order = anOrder('held', { replace: true, input: 3 })
  const replaced = await aStarted(base, 'held', { ...anOrder('other-request'), name: order.name })
  const gone = new Failure('worker-failed', 'The input is gone.')
  const context = { ...contextWith(UNBOUNDED), input: () => Promise.reject(gone) }
  await expect(spawn(order, false, context)).rejects.toBe(gone)
  expect(await base.engine.containers()).toMatchObject([{ id: replaced, state: 'running' }])
})

test('one that was ready before its coordinator died needs its input no more', async () => {
  const order = anOrder('had', { input: 3 })
  const first = await spawn(order, false, { ...contextWith(UNBOUNDED), input: async () => Buffer.from('abc') })
  const context = { ...contextWith(UNBOUNDED), input: () => Promise.reject(new Error('it is gone')) }
  const again = await spawn(order, true, context)
  expect(again.worker).toMatchObject({ id: first.worker.id, state: 'running' })
})

const kinds = (): string[] => base.events.map(({ kind }) => kind)

test('an order makes its worker, and tells once that it is ready', async () => {
  const { worker } = await spawn(order, false, contextWith(UNBOUNDED))
  expect(worker).toMatchObject({ name: 'w1', state: 'running' })
  expect(base.records.get(order.request)?.readyAt).not.toBeNull()
  expect(kinds()).toEqual(['worker-ready'])
})

test('an order that is gone on with finds its worker, and tells that it is ready if nobody has', async () => {
  const spawning = contextWith(UNBOUNDED)
  const { worker } = await spawn(order, false, spawning)
  const record = base.records.get(order.request)
  if (record === undefined) throw new Error('there is no record')
  // As the coordinator that died had left it: started, and not known to be ready.
  await base.records.put({ ...record, readyAt: null })
  for (const expected of [
    ['worker-ready', 'worker-ready'],
    ['worker-ready', 'worker-ready', 'worker-adopted'],
  ]) {
    expect((await spawn(order, false, spawning)).worker).toMatchObject({ id: worker.id, state: 'running' })
    expect(kinds()).toEqual(expected)
  }
})

test('an order whose name is free because its own container was just removed does not run again', async () => {
  const spawning = contextWith(UNBOUNDED)
  const create = base.engine.create.bind(base.engine)
  base.engine.create = async (spec) => {
    // A pass of the reconcile loop: the end is written, and then the container removed.
    await base.records.put(aRecord('w1', { end: anEnd({ exitCode: 6 }) }))
    return await create(spec)
  }
  expect((await spawn(order, false, spawning)).worker).toMatchObject({ state: 'ended', exitCode: 6 })
  expect(await base.engine.containers()).toEqual([])
  expect(kinds()).toEqual([])
})

test('a worker that could not start for want of a network is told so, with what to do', async () => {
  const spawning = contextWith(UNBOUNDED)
  base.engine.start = () => Promise.reject(new Failure('worker-failed', 'cannot join network of 5c10c994'))
  await expect(spawn(order, false, spawning)).rejects.toMatchObject({ message: 'cannot join network of 5c10c994' })
  const away = new Failure('not-ready', 'The network holder does not run.', { hint: './hal9000 up' })
  const other = anOrder('w2')
  await expect(spawn(other, false, { ...spawning, checkNetwork: () => Promise.reject(away) })).rejects.toMatchObject({
    code: 'worker-failed',
    message: 'The network holder does not run.',
    hint: './hal9000 up',
  })
})
