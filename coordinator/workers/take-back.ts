import { Failure } from '../contract/failure.ts'
import { RequestId } from '../contract/names.ts'
import type { Spawned, Worker } from '../contract/worker.ts'
import { engineAwayTooLong } from '../domain/outage.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { timeLeft, waitedTooLong } from '../domain/waiting-time.ts'
import type { Context } from './context.ts'

/** Where orders wait. All tell whoever waits for the answer, and are false when it is too late to take one back. */
export type TakeBackContext = Context & {
  queue: { cancel: (request: RequestId, failure: Failure) => Promise<boolean> }
  room: { cancel: (request: RequestId, failure: Failure) => boolean }
  pulls: { cancel: (request: RequestId, failure: Failure) => boolean }
  /** Those that wait for the engine; `trouble`: why they do, while there are any. */
  outage: { cancel: (request: RequestId, failure: Failure) => boolean; readonly trouble: Failure | undefined }
}

/** What an order that is on the queue already waits for. */
type QueuedContext = Omit<TakeBackContext, 'room' | 'pulls'>

/** How long an order may be on its way from one place where it waits to the next. Milliseconds. */
const BETWEEN = 5_000
const STEP = 20

/**
 * Takes a request back that still waits, as a person has asked; false when it is too late for that. Nothing of it stays but
 * an event: it never was a worker, and must not hide the last one of its name that was.
 */
export async function takeBack(worker: Worker, context: TakeBackContext): Promise<boolean> {
  const { roster, records, outage, note, now } = context
  const { name, project } = worker
  const request = RequestId.parse(worker.request)
  const failure = new Failure('interrupted', `The request for worker "${name}" was taken back.`)
  // What the engine has of it is ended once it is back, and told then.
  if (mayRun(request, records)) return outage.cancel(request, failure)
  for (const deadline = now() + BETWEEN; !(await cancelWhereItWaits(request, failure, context));) {
    if (roster.underway.get(request)?.state !== 'queued' || now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, STEP))
  }
  roster.underway.delete(request)
  note({ kind: 'worker-ended', worker: name, project, request, message: 'cancelled: its request was taken back' })
  return true
}

async function cancelWhereItWaits(request: RequestId, failure: Failure, context: TakeBackContext): Promise<boolean> {
  const { pulls, room, outage, queue } = context
  return [pulls, room, outage].some((place) => place.cancel(request, failure)) || (await queue.cancel(request, failure))
}

/** An order that waits again because a coordinator died over it: its worker gets its command after its record is written. */
function mayRun(request: RequestId, records: Context['records']): boolean {
  return records.get(request) !== undefined
}

/** A worker whose request was taken back, as its end is told. */
export function cancelled(worker: Worker): Worker {
  return { ...worker, state: 'ended', reason: 'cancelled' }
}

/**
 * The answer to an order that is on the queue (`settled`), unless nobody takes it up until its time to wait is over: then it
 * is taken back, and that is the answer. One that waits for room is told by the room.
 */
export async function inTime(order: SpawnOrder, settled: Promise<Spawned>, context: QueuedContext): Promise<Spawned> {
  const timer = setTimeout(() => void giveUp(order, context), timeLeft(order, context.now()))
  try {
    return await settled
  } finally {
    clearTimeout(timer)
  }
}

async function giveUp(order: SpawnOrder, context: QueuedContext): Promise<void> {
  const { request, name, project } = order
  const { trouble } = context.outage
  const late = trouble === undefined ? waitedTooLong(order) : engineAwayTooLong(order, trouble)
  if (mayRun(request, context.records)) return
  try {
    if (!(await context.queue.cancel(request, late))) return
    context.roster.underway.delete(request)
    context.note({ kind: 'worker-failed', worker: name, project: project.path, request, message: late.message })
  } catch (error) {
    // Its turn will come, and it will be too late for it then.
    context.log.warn({ err: error, request }, 'a late request could not be taken back')
  }
}
