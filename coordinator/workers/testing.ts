import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { NewEvent } from '../contract/event.ts'
import type { ContainerId, InstanceName } from '../contract/names.ts'
import type { Engine } from '../docker/engine.ts'
import { MemoryEngine } from '../docker/memory-engine.ts'
import { encodeAssignment } from '../domain/assignment.ts'
import { workerContainerSpec } from '../domain/container-spec.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { anOrder, INSTANCE, NOW } from '../domain/testing.ts'
import { openRecords } from '../state/records.ts'
import type { Context } from './context.ts'
import { Roster } from './roster.ts'

export type TestContext<E extends Engine = MemoryEngine> = Context & AsyncDisposable & { engine: E; events: NewEvent[] }

/** What actions on workers need, around any engine: a state directory on disk, and nobody beside them who acts on what they see. */
export async function testContext<E extends Engine>(
  engine: E,
  instance: InstanceName,
  now: () => number = Date.now,
): Promise<TestContext<E>> {
  const home = await mkdtemp(join(tmpdir(), 'hal9000-home-'))
  await mkdir(join(home, 'logs', 'workers'), { recursive: true })
  const records = await openRecords(join(home, 'sessions'))
  const events: NewEvent[] = []
  const roster = new Roster(engine, records, instance, now)
  roster.resume()
  return {
    instance,
    home,
    engine,
    records,
    roster,
    recording: new Map(),
    note: (event) => events.push(event),
    stillHeld: async () => {},
    desireKnown: () => true,
    wakeAt: () => {},
    log: pino({ level: 'silent' }),
    now,
    events,
    [Symbol.asyncDispose]: () => rm(home, { recursive: true }),
  }
}

/** The same over an engine in memory, at the moment at which tests take place. */
export async function aContext(now: () => number = () => NOW): Promise<TestContext> {
  const engine = new MemoryEngine(INSTANCE, now)
  engine.images.set(anOrder().image, { id: 'sha256:1', labels: {} })
  return await testContext(engine, INSTANCE, now)
}

/** A container that was told its command: `sleep` runs, `exit N` and `echo TEXT` have ended. */
export async function aStarted(
  { engine }: TestContext,
  name: string,
  fields: Partial<SpawnOrder> = {},
): Promise<ContainerId> {
  const order = anOrder(name, fields)
  const id = await engine.create(workerContainerSpec(INSTANCE, order, 'none'))
  if (id === 'taken') throw new Error(`the name "${name}" is taken`)
  const line = await engine.connect(id)
  await engine.start(id)
  await line.assign(encodeAssignment(order))
  return id
}
