import { expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { ContainerId } from '../contract/names.ts'
import { workerContainerSpec } from '../domain/container-spec.ts'
import { anOrder, aRecord, INSTANCE } from '../domain/testing.ts'
import { type TestContext, aContext } from '../workers/testing.ts'
import { Roster } from '../workers/roster.ts'
import { Reconciler } from './loop.ts'

const order = anOrder('w1', { remove: false })

/** A container that was started by a coordinator which then died: it got no assignment, and ended for that. */
async function unassigned({ engine }: TestContext): Promise<ContainerId> {
  engine.images.set(order.image, { id: 'sha256:1', labels: {} })
  const id = await engine.create(workerContainerSpec(INSTANCE, order, 'none'))
  if (id === 'taken') throw new Error('the name is taken')
  const line = await engine.connect(id)
  await engine.start(id)
  line.close()
  return id
}

/** One look, and all that it leads to. */
async function pass(context: TestContext): Promise<void> {
  const reconciler = new Reconciler(context, { count: 9, age: 1e9, logBytes: 1e9 })
  await reconciler.trigger()
  await reconciler.stop()
}

test.each([
  ['with its record', aRecord('w1', { readyAt: null })],
  ['before its record was written', undefined],
])('what no assignment came for is left to its order until the queue is known (%s)', async (_what, record) => {
  await using base = await aContext()
  const context: TestContext = { ...base, roster: new Roster(base.engine, base.records, INSTANCE, base.now) }
  await unassigned(base)
  if (record !== undefined) await context.records.put(record)
  await pass(context)
  expect(context.events).toEqual([])
  context.roster.resume()
  await pass(context)
  expect(context.events).toMatchObject([{ kind: 'worker-ended', exit: { reason: 'never-assigned' } }])
})

test('once it is stopped nothing is begun any more', async () => {
  await using context = await aContext()
  const id = await unassigned(context)
  await context.records.put(aRecord('w1', { container: id }))
  const reconciler = new Reconciler(context, { count: 9, age: 1e9, logBytes: 1e9 })
  const looking = reconciler.trigger()
  await reconciler.stop()
  await looking
  expect(context.records.get(order.request)?.end).toBeNull()
  context.engine.away = new Failure('engine-unreachable', 'The engine is away.')
  await reconciler.trigger()
  expect(reconciler.trouble).toBeUndefined()
})

test('the end of a worker that was ready is recorded at once', async () => {
  await using context = await aContext()
  const id = await unassigned(context)
  await context.records.put(aRecord('w1', { container: id }))
  await pass(context)
  expect(context.records.get(order.request)?.end).not.toBeNull()
})

test('an engine that could not be seen is listened to anew: its event stream may have died without a word', async () => {
  await using context = await aContext()
  const { engine } = context
  const events = engine.events.bind(engine)
  let opened = 0
  engine.events = async function* (signal) {
    opened += 1
    yield* events(signal)
  }
  const reconciler = new Reconciler(context, { count: 9, age: 1e9, logBytes: 1e9 })
  await reconciler.start()
  expect(opened).toBe(1)
  engine.away = new Failure('engine-unreachable', 'The engine is away.')
  await reconciler.trigger()
  engine.away = undefined
  await expect.poll(() => opened, { timeout: 5_000 }).toBe(2)
  await reconciler.stop()
})
