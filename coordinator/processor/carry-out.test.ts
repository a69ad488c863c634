import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { WorkerLine } from '../docker/engine.ts'
import type { MemoryEngine } from '../docker/memory-engine.ts'
import { anOrder, NOW } from '../domain/testing.ts'
import { WAITS_FOR_ENGINE } from '../domain/outage.ts'
import { aContext, type TestContext } from '../workers/testing.ts'
import { carryOut, type CarryOutContext } from './carry-out.ts'
import { Outage } from './outage.ts'
import { Room } from './room.ts'

const AWAY = new Failure('engine-unreachable', 'The engine is away.')
const order = anOrder('w1', { command: ['sleep', '60'], waitUntil: NOW + 60_000 })
/** May wait for as long as a look at the engine takes. Milliseconds. */
const impatient = { ...order, waitUntil: NOW + 60 }

let base: TestContext
let context: CarryOutContext

beforeEach(async () => {
  base = await aContext()
  context = {
    ...base,
    room: new Room({ maxWorkers: 0, memoryBudget: null, cpuBudget: null }, base.roster, async () => false),
    outage: new Outage(() => base.engine.containers(), 5),
    network: async () => 'none',
    checkNetwork: async () => {},
    input: async () => null,
  }
})
afterEach(() => base[Symbol.asyncDispose]())

const kinds = (): string[] => base.events.map(({ kind }) => kind)

async function untilItWaits(): Promise<void> {
  await expect.poll(() => base.roster.underway.get(order.request)?.because).toBe(WAITS_FOR_ENGINE)
}

/** How the engine can go in the middle of a spawn: what it was asked for is done, and nobody is told. */
const GONE: Record<string, (engine: MemoryEngine) => void> = {
  'before anything': (engine) => {
    engine.away = AWAY
  },
  'while it creates': (engine) => {
    const create = engine.create.bind(engine)
    engine.create = async (spec) => await goneAfter(engine, () => create(spec))
  },
  'while it is attached to': (engine) => {
    const connect = engine.connect.bind(engine)
    engine.connect = async (id) => await goneAfter(engine, () => connect(id))
  },
  'while it starts': (engine) => {
    const start = engine.start.bind(engine)
    engine.start = async (id) => await goneAfter(engine, () => start(id))
  },
  'before the worker is told': (engine) => {
    const connect = engine.connect.bind(engine)
    engine.connect = async (id) => {
      const line = await connect(id)
      return { ...line, assign: () => goneAfter(engine, async () => {}), heard: () => closed(line) }
    }
  },
  'before it is heard, its line broken off': (engine) => {
    const connect = engine.connect.bind(engine)
    engine.connect = async (id) => ({ ...(await connect(id)), heard: () => goneUnheard(engine) })
  },
  'before it is heard, its line silent': (engine) => {
    const connect = engine.connect.bind(engine)
    engine.connect = async (id) => ({ ...(await connect(id)), heard: () => goneAfter(engine, async () => {}) })
  },
}

/** Once: the next try meets the engine as it is. */
async function goneAfter<T>(engine: MemoryEngine, work: () => Promise<T>): Promise<never> {
  if (engine.away === undefined) await work()
  engine.away = AWAY
  throw AWAY
}

async function closed(line: WorkerLine): Promise<undefined> {
  line.close()
}

async function goneUnheard(engine: MemoryEngine): Promise<undefined> {
  engine.away = AWAY
}

/** The engine answers again, and goes no more. */
function back(engine: MemoryEngine): void {
  for (const name of ['create', 'connect', 'start']) Reflect.deleteProperty(engine, name)
  engine.away = undefined
}

test.each(Object.entries(GONE))(
  'an engine that goes %s is waited for, and then the worker runs once',
  async (_when, go) => {
    go(base.engine)
    const spawned = carryOut(order, false, context)
    await untilItWaits()
    expect(base.roster.underway.get(order.request)?.state).toBe('queued')
    back(base.engine)
    const { worker } = await spawned
    const containers = await base.engine.containers()
    expect(worker).toMatchObject({ name: 'w1', state: 'running' })
    expect(containers).toMatchObject([{ id: worker.id, state: 'running' }])
    expect(base.records.get(order.request)).toMatchObject({ stop: null, end: null, readyAt: NOW })
    expect([kinds(), base.roster.underway.size]).toEqual([['worker-ready'], 0])
  },
)

test.each(Object.entries(GONE))(
  'an engine that goes %s and stays away until the time is over: exit code 3',
  async (_when, go) => {
    go(base.engine)
    const message = 'The Docker engine did not answer while worker "w1" could wait for it: The engine is away.'
    await expect(carryOut(impatient, false, context)).rejects.toMatchObject({ message, exitCode: 3 })
    expect([kinds(), base.roster.underway.size]).toEqual([['worker-failed'], 0])
    // What there is of it is to be ended.
    const record = base.records.get(order.request)
    expect(record === undefined || record.stop?.reason === 'failed').toBe(true)
  },
)

test('whose command may run is taken back all the same: it is ended when the engine is back', async () => {
  GONE['before it is heard, its line broken off']?.(base.engine)
  const spawned = carryOut(order, false, context)
  await untilItWaits()
  expect(context.outage.cancel(order.request, new Failure('interrupted', 'It was taken back.'))).toBe(true)
  await expect(spawned).rejects.toMatchObject({ code: 'interrupted' })
  expect(base.records.get(order.request)?.stop).toMatchObject({ reason: 'cancelled', grace: 0 })
  expect([kinds(), base.roster.underway.size, context.outage.trouble]).toEqual([[], 0, undefined])
})

test('many wait, and one look at a time is taken for all', async () => {
  let looks = 0
  let open = 0
  let most = 0
  context.outage = new Outage(async () => {
    looks += 1
    open += 1
    most = Math.max(most, open)
    await new Promise((resolve) => setTimeout(resolve, 5))
    open -= 1
    if (looks < 3) throw AWAY
    base.engine.away = undefined
  }, 5)
  base.engine.away = AWAY
  const orders = ['a', 'b', 'c', 'd'].map((name) => anOrder(name, { command: ['sleep', '60'] }))
  const spawned = await Promise.all(orders.map((one) => carryOut(one, false, context)))
  expect(spawned.map(({ worker }) => worker.state)).toEqual(orders.map(() => 'running'))
  expect([looks, most]).toEqual([3, 1])
})
