import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { Capacity } from '../domain/admission.ts'
import { anOrder, NOW } from '../domain/testing.ts'
import { finish } from '../workers/finish.ts'
import { aContext, aStarted, type TestContext } from '../workers/testing.ts'
import { Room } from './room.ts'
import { spawn, type SpawnContext } from './spawn.ts'

const UNBOUNDED: Capacity = { maxWorkers: 0, memoryBudget: null, cpuBudget: null }
const ONE: Capacity = { ...UNBOUNDED, maxWorkers: 1 }

let base: TestContext
beforeEach(async () => {
  base = await aContext()
})
afterEach(() => base[Symbol.asyncDispose]())

function contextWith(capacity: Capacity): SpawnContext & { room: Room } {
  return {
    ...base,
    room: new Room(capacity, base.roster),
    network: async () => 'none',
    checkNetwork: async () => {},
    input: async () => null,
  }
}

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
