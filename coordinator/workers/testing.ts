import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { ContainerId } from '../contract/names.ts'
import { MemoryEngine } from '../docker/memory-engine.ts'
import { encodeAssignment } from '../domain/assignment.ts'
import { workerContainerSpec } from '../domain/container-spec.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { anOrder, INSTANCE, NOW } from '../domain/testing.ts'
import { openRecords } from '../state/records.ts'
import type { NewEvent } from '../contract/event.ts'
import type { Context } from './context.ts'
import { Roster } from './roster.ts'

export type TestContext = Context & AsyncDisposable & { engine: MemoryEngine; events: NewEvent[] }

/** What actions on workers need, over an engine in memory and a state directory that goes with it. */
export async function aContext(now: () => number = () => NOW): Promise<TestContext> {
  const home = await mkdtemp(join(tmpdir(), 'hal9000-workers-'))
  await mkdir(join(home, 'logs', 'workers'), { recursive: true })
  const records = await openRecords(join(home, 'sessions'))
  const engine = new MemoryEngine(INSTANCE, now)
  engine.images.set(anOrder().image, { id: 'sha256:1', labels: {} })
  const events: NewEvent[] = []
  return {
    instance: INSTANCE,
    home,
    engine,
    records,
    roster: new Roster(engine, records, INSTANCE, now),
    recording: new Map(),
    note: (event) => events.push(event),
    wakeAt: () => {},
    log: pino({ level: 'silent' }),
    now,
    events,
    [Symbol.asyncDispose]: () => rm(home, { recursive: true }),
  }
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
