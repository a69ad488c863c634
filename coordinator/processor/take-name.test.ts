import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ContainerId } from '../contract/names.ts'
import { MemoryEngine } from '../docker/memory-engine.ts'
import { workerContainerSpec } from '../domain/container-spec.ts'
import type { Container, EngineState } from '../domain/container.ts'
import { anOrder, INSTANCE, requestId } from '../domain/testing.ts'
import { testContext } from '../workers/testing.ts'
import { takeName } from './take-name.ts'

/** Shows containers in another state than they are in, and counts who looks. */
class ShowingEngine extends MemoryEngine {
  state: EngineState | undefined
  looks = 0

  override async find(nameOrId: string): Promise<Container | undefined> {
    this.looks += 1
    const found = await super.find(nameOrId)
    return found && { ...found, state: this.state ?? found.state }
  }
}

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] }))
afterEach(() => vi.useRealTimers())

const holders = anOrder('w1', { request: requestId('r-holder') })
const wanted = anOrder('w1', { request: requestId('r-wanted'), replace: true })

/** A name that is held by a created container, and one who wants it. */
async function heldName() {
  const engine = new ShowingEngine(INSTANCE)
  engine.images.set(wanted.image, { id: 'sha256:1', labels: {} })
  const id = (await engine.create(workerContainerSpec(INSTANCE, holders, 'none'))) as ContainerId
  const context = await testContext(engine, INSTANCE)
  const take = () => takeName(wanted, workerContainerSpec(INSTANCE, wanted, 'none'), context)
  return { engine, id, context, take }
}

test('a holder that is being removed is waited for, also on an engine that takes its time', async () => {
  const { engine, id, context, take } = await heldName()
  await using _ = context
  engine.state = 'removing'
  const taken = take()
  await vi.advanceTimersByTimeAsync(25_000)
  await engine.remove(id)
  await vi.advanceTimersByTimeAsync(100)
  expect(await taken).toMatchObject({ taken: 'created', notices: [] })
})

test('the wait for a name has an end, which says how long it was', async () => {
  const { engine, context, take } = await heldName()
  await using _ = context
  engine.state = 'removing'
  const taken = take().catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(32_000)
  expect(await taken).toMatchObject({
    code: 'name-in-use',
    message: 'The name "w1" in /home/me/proj did not become free within 31 s.',
    hint: 'coordinator list -a',
  })
})

test('who replaces a worker that is being started waits until it runs, and stops it then', async () => {
  const { engine, id, context, take } = await heldName()
  await using _ = context
  context.roster.underway.set(holders.request, { order: holders, state: 'starting' })
  await engine.start(id)
  const taken = take()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(engine.looks).toBeGreaterThan(90)
  expect(await engine.find(id)).toMatchObject({ state: 'running' })
  context.roster.underway.delete(holders.request)
  await vi.advanceTimersByTimeAsync(100)
  expect(await taken).toMatchObject({
    taken: 'created',
    notices: ['The running worker "w1" was stopped and replaced.'],
  })
  expect(await engine.find(id)).toBeUndefined()
  expect(context.records.get(holders.request)).toMatchObject({ end: { reason: 'stopped' } })
})

test('a holder that a dead spawn has left is not waited for longer than it can be young', async () => {
  const { engine, id, context, take } = await heldName()
  await using _ = context
  const taken = take()
  await vi.advanceTimersByTimeAsync(31_000)
  expect(await taken).toMatchObject({ taken: 'created' })
  expect(await engine.find(id)).toBeUndefined()
})
