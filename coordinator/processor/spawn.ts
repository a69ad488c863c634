import { Failure, type FailureCode } from '../contract/failure.ts'
import type { ContainerId, RequestId } from '../contract/names.ts'
import type { Spawned, Worker } from '../contract/worker.ts'
import { encodeAssignment } from '../domain/assignment.ts'
import { workerContainerSpec } from '../domain/container-spec.ts'
import { asWorker } from '../domain/container.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { tooLate, waitedTooLong } from '../domain/waiting-time.ts'
import { newRecord, type WorkerRecord } from '../domain/worker-record.ts'
import { fromRecord } from '../domain/worker-view.ts'
import { refusalFailure, type Said } from '../domain/worker-says.ts'
import type { Context } from '../workers/context.ts'
import { discard, finish } from '../workers/finish.ts'
import { putReady } from '../workers/milestones.ts'
import { FIRST_WORD, firstSaid, firstWord } from './first-word.ts'
import type { Room } from './room.ts'
import { takeName } from './take-name.ts'

/** How long an order may wait for room at least that a coordinator had begun before it died. Milliseconds. */
const AFTER_CRASH = 10_000

export type SpawnContext = Context & {
  room: Room
  /** The network that workers join: `container:ID`. */
  network: () => Promise<string>
  /** Fails when there is none that they could join. */
  checkNetwork: () => Promise<void>
  /** The order's input for its command; null when it has none. Fails when it is gone. */
  input: (order: SpawnOrder) => Promise<Buffer | null>
}

/**
 * Makes it so that the order's worker runs, whatever of that was done before (`begun`: by a coordinator that died in the
 * middle, or until the engine went). The way of a spawn is read here, top to bottom.
 * Fails with what the client is told; then nothing is left behind, unless the engine is away: see carry-out.ts.
 */
export async function spawn(order: SpawnOrder, begun: boolean, context: SpawnContext): Promise<Spawned> {
  const { request } = order
  const timings: Record<string, number> = {}
  const passed = (stage: string): void => {
    timings[stage] = context.now() - order.receivedAt
  }
  passed('dequeued')
  // Until it is let in it can be taken back, as long as it is queued.
  context.roster.underway.set(request, { order, state: 'queued' })
  try {
    const over = endedRun(request, context)
    if (over !== undefined) return reported(over, order)
    if (tooLate(order, begun, context.now())) throw waitedTooLong(order)
    // One with a record may run already: then it has its place, and needs none.
    if (context.records.get(request)?.end !== null)
      await context.room.enter(begun ? again(order, context) : order, context.now)
    passed('admitted')
    context.roster.underway.set(request, { order, state: 'creating' })
    // Before anything is done: what cannot be run must not stop another (--replace). What was ready before a crash has it.
    const wasReady = (context.records.get(request)?.readyAt ?? null) !== null
    const input = wasReady ? null : await context.input(order)
    const spec = workerContainerSpec(context.instance, order, await context.network())
    let taken = await takeName(order, spec, context)
    while (taken.taken !== 'created') {
      const going = await goOn(taken.container.id, order, context)
      if (going !== 'never-assigned') return going
      taken = await takeName(order, spec, context)
    }
    const meanwhile = endedRun(request, context)
    if (meanwhile !== undefined) {
      // The name was free because the order's own container had just been removed, after its end was written.
      await context.engine.remove(taken.id)
      return reported(meanwhile, order)
    }
    passed('created')
    context.roster.underway.set(request, { order, state: 'starting' })
    const record = await start(taken.id, order, input, context, passed)
    return { worker: fromReady(record), notices: [...order.notices, ...taken.notices], timings }
  } finally {
    context.room.leave(request)
  }
}

/** The coordinator that died has cost the order time, and those that waited with it are now taken up in any order. */
function again(order: SpawnOrder, { now }: SpawnContext): SpawnOrder {
  return { ...order, waitUntil: Math.max(order.waitUntil, now() + AFTER_CRASH) }
}

/** The engine's own words about a network that does not run name a container; people know it by what it does. */
async function explained(error: unknown, { checkNetwork }: SpawnContext): Promise<Failure> {
  const failure = Failure.from(error)
  if (failure.code !== 'worker-failed') return failure
  try {
    await checkNetwork()
    return failure
  } catch (thrown) {
    const trouble = Failure.from(thrown)
    // It was on its way out when it refused.
    if (trouble.code === 'engine-unreachable') return trouble
    const { message, hint } = trouble
    return new Failure('worker-failed', message, { ...(hint === undefined ? {} : { hint }), cause: failure })
  }
}

/** Starts the created container and gives it its assignment; returns when its command has been executed. */
async function start(
  id: ContainerId,
  order: SpawnOrder,
  input: Buffer | null,
  context: SpawnContext,
  passed: (stage: string) => void,
): Promise<WorkerRecord> {
  const { engine, records } = context
  const record: WorkerRecord = { ...recordOf(order), container: id }
  const stored = records.put(record)
  try {
    // Attached before the start, so that not a byte of either direction is missed.
    const line = await engine.connect(id)
    try {
      await context.stillHeld()
      await engine.start(id)
      passed('started')
      await context.stillHeld()
      await stored // On disk before the worker is told: a crash from here on finds what was asked.
      // Not awaited: `ready` proves that all was read, and a refusal says why it was not.
      line.assign(encodeAssignment(order, input)).catch(() => {})
      const said = await firstSaid(line, id, order, engine)
      if (said?.said !== 'ready') throw refusal(said, order, context)
      passed('ready')
    } finally {
      line.close()
    }
  } catch (error) {
    await stored.catch(() => {})
    const failure = await explained(error, context)
    // Without the engine nothing can be undone. What is there is found by the next try.
    if (failure.code !== 'engine-unreachable') await undo(id, order.request, failure.message, context)
    throw failure
  }
  const readyAt = context.now()
  const ready = await putReady(record, readyAt, `ready after ${readyAt - order.receivedAt} ms`, context)
  if (ready.deadline !== null) context.wakeAt(ready.deadline)
  return ready
}

/**
 * The order's container is there already, from before a crash: answer with it once it has said that its command runs.
 * One that was never assigned is removed, and the order begun again: nothing of it ran.
 */
async function goOn(id: ContainerId, order: SpawnOrder, context: SpawnContext): Promise<Spawned | 'never-assigned'> {
  const { engine, records } = context
  const wasReady = (records.get(order.request)?.readyAt ?? null) !== null
  const said: Said | undefined = wasReady ? { said: 'ready' } : await firstWord(id, engine, true)
  // The reconcile loop may have been faster: the end is recorded, and the container on its way out.
  const over = endedRun(order.request, context)
  if (over !== undefined) return reported(over, order)
  if (said === undefined) {
    if (records.get(order.request)?.end?.reason === 'never-assigned') return 'never-assigned'
    // To begin again could be to run the command twice: one that runs is not touched, one that was killed is told.
    if ((await engine.find(id))?.state === 'running') throw silent(order)
    await undo(id, order.request, 'it ended without a word', context)
    throw new Failure('worker-failed', `Worker "${order.name}" ended without a word: its command may have run or not.`)
  }
  if (said.said === 'refused') {
    if (said.word !== 'never-assigned') {
      await undo(id, order.request, said.message, context)
      throw refusalFailure(order.name, said)
    }
    await engine.remove(id)
    return 'never-assigned'
  }
  const known = records.get(order.request) ?? { ...recordOf(order), container: id }
  const record = await putReady(known, context.now(), 'found ready after a restart of the coordinator', context)
  if (wasReady) noteAdopted(context, order)
  return { worker: fromReady(record), notices: order.notices, timings: {} }
}

/**
 * The record of a request that has come to its end. One that was never assigned ran nothing: a coordinator that died left
 * it, and the order is begun again.
 */
function endedRun(request: RequestId, { records }: Context): WorkerRecord | undefined {
  const record = records.get(request)
  return record?.end && record.end.reason !== 'never-assigned' ? record : undefined
}

/** What the entrypoint's own exit codes say of a command that it could not execute. */
const REFUSED: Partial<Record<number, FailureCode>> = { 126: 'command-not-executable', 127: 'command-not-found' }

/** What a client is told whose request has ended before it asked again. */
function reported(record: WorkerRecord, order: SpawnOrder): Spawned {
  const { name, readyAt, end } = record
  if (readyAt === null) {
    const code = REFUSED[end?.exitCode ?? 0] ?? 'worker-failed'
    throw new Failure(code, `Worker "${name}" did not start: ${end?.message ?? end?.reason ?? 'it ended'}.`)
  }
  return { worker: fromRecord(record), notices: order.notices, timings: {} }
}

function refusal(said: Said | undefined, order: SpawnOrder, context: SpawnContext): Failure {
  if (said?.said === 'refused') return refusalFailure(order.name, said)
  context.log.warn({ request: order.request, said }, 'a worker ended without a word')
  return new Failure('worker-failed', `Worker "${order.name}" ended before its command could start.`, {
    hint: `check that the image "${order.image}" is a hal9000 worker image`,
  })
}

function silent(order: SpawnOrder): Failure {
  return new Failure(
    'worker-failed',
    `Worker "${order.name}" runs, but has not said so within ${FIRST_WORD / 1000} s.`,
    {
      hint: `coordinator inspect ${order.name}`,
    },
  )
}

/** Nothing is left behind by a spawn that failed: its end is recorded and the container removed, whatever it was kept for. */
async function undo(id: ContainerId, request: RequestId, message: string, context: SpawnContext): Promise<void> {
  try {
    const record = context.records.get(request)
    // Without a word of its own it would be told as killed from outside.
    if (record?.stop === null) {
      await context.records.put({ ...record, stop: { reason: 'failed', at: context.now(), grace: 0 } })
    }
    await context.engine.stop(id, 0)
    const container = await context.engine.find(id)
    const worker = container && asWorker(container, context.instance)
    if (worker === undefined) return
    const ended = await finish({ ...worker, spec: { ...worker.spec, remove: true } }, context)
    if (ended === undefined) await discard(worker, message, context)
  } catch (error) {
    context.log.warn({ err: error, container: id }, 'a failed spawn could not be undone now; the reconcile loop will')
  }
}

function recordOf(order: SpawnOrder): WorkerRecord {
  const { request, name, project, image, command, io, limits, remove, receivedAt, timeout, onNetworkLoss } = order
  return newRecord({
    request,
    name,
    project: project.path,
    image,
    command,
    io,
    limits,
    remove,
    onNetworkLoss,
    uid: project.uid,
    gid: project.gid,
    createdAt: receivedAt,
    timeout,
  })
}

function fromReady(record: WorkerRecord): Worker {
  const worker = fromRecord(record)
  return record.end ? worker : { ...worker, state: 'running' }
}

function noteAdopted(context: Context, order: SpawnOrder): void {
  const message = 'found running after a restart of the coordinator'
  context.note({
    kind: 'worker-adopted',
    worker: order.name,
    project: order.project.path,
    request: order.request,
    message,
  })
}
