import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { SpawnRequest } from '../contract/request.ts'
import type { Spawned, SpawnResult } from '../contract/worker.ts'
import { runMode } from '../domain/run-mode.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { fromOrder } from '../domain/worker-view.ts'
import type { SpawnQueue } from '../queue/spawn-queue.ts'
import type { SpooledInputs } from '../queue/spooled-inputs.ts'
import { checkDiskRoom } from '../state/disk-room.ts'
import type { Context } from '../workers/context.ts'
import type { Pulls } from '../workers/pulls.ts'
import type { SingleFlight } from '../workers/single-flight.ts'
import { inTime, type TakeBackContext } from '../workers/take-back.ts'
import { type IntakeContext, takeIn } from './intake.ts'

export type DeliverContext = Context & {
  queue: Pick<SpawnQueue, 'add' | 'answer' | 'cancel' | 'depth' | 'settled'>
  inputs: Pick<SpooledInputs, 'keep' | 'claim' | 'drop' | 'dropOnceSettled'>
  outage: TakeBackContext['outage']
  intake: IntakeContext
  maxQueue: number
  pulls: Pick<Pulls, 'pull'>
  /** A failure to store something, with what is wrong with the disk where that is the reason. */
  explained: (failure: Failure) => Promise<Failure>
  /** Requests that are being taken in now, until the queue knows them. */
  arriving: SingleFlight<RequestId, Accepted>
}

/** A request that has an answer, or will have one: `settled`. */
export type Accepted = { settled: Promise<Spawned> }

/**
 * Takes a spawn request to its answer: a known id gets the answer it had, or will have; a new one is taken in, queued and
 * awaited. So a client that was cut off asks again with the same id, and never gets a second worker.
 *
 * Taking in takes a while, in which neither the queue nor anybody else knows the request: its id again joins in there. While
 * it waits for its image, nothing was promised yet: it is given up when the last client that waits for it has `gone`.
 */
export async function deliver(request: SpawnRequest, context: DeliverContext, gone: AbortSignal): Promise<SpawnResult> {
  const run = runMode(request.run, request.clientEnv['AGENTIC_IN_CONTAINER'])
  const { settled } = await context.arriving.join(request.id, gone, (abandoned) => accept(request, context, abandoned))
  const underway = context.roster.underway.get(request.id)
  if (!request.noWait || underway === undefined) return { ...(await settled), run }
  return {
    worker: fromOrder(underway.order, underway.state),
    run: { mode: 'detached', because: '--no-wait was given' },
    notices: underway.order.notices,
    timings: {},
  }
}

async function accept(request: SpawnRequest, context: DeliverContext, abandoned: AbortSignal): Promise<Accepted> {
  try {
    return await acceptNow(request, context, abandoned)
  } catch (error) {
    throw await context.explained(Failure.from(error))
  }
}

async function acceptNow(request: SpawnRequest, context: DeliverContext, abandoned: AbortSignal): Promise<Accepted> {
  const known = await context.queue.answer(request.id)
  if (known !== undefined) return known
  if (context.roster.underway.has(request.id)) return { settled: context.queue.settled(request.id) }
  try {
    // Refused while nothing is promised yet: what was acknowledged would have to wait for it.
    await checkDiskRoom(context.home)
    const order = await takeIn(request, context.intake, (draft) => pullFor(draft, context, abandoned))
    await context.inputs.claim(order)
    const { settled } = await enqueue(order, context)
    context.inputs.dropOnceSettled(order, settled)
    const answered = inTime(order, settled, context)
    answered.catch(() => {}) // Told as an event too; with --no-wait nobody waits for it here.
    return { settled: answered }
  } catch (error) {
    context.roster.underway.delete(request.id)
    // Refused for good, unless it may be asked again.
    if (request.input !== null && Failure.from(error).code !== 'not-ready') context.inputs.drop(request.id)
    throw error
  }
}

/** Who waits for an image is seen, and can be taken back, like one that waits in the queue. */
async function pullFor(draft: SpawnOrder, context: DeliverContext, abandoned: AbortSignal): Promise<void> {
  // However long it takes: an input waits only so long for its request.
  await context.inputs.claim(draft)
  context.roster.underway.set(draft.request, { order: draft, state: 'queued' })
  await context.pulls.pull(draft, abandoned)
}

async function enqueue(order: SpawnOrder, context: DeliverContext): Promise<Accepted> {
  const { waiting } = await context.queue.depth()
  if (waiting >= context.maxQueue) {
    throw new Failure('queue-full', `${waiting} requests are waiting already (HAL9000_MAX_QUEUE).`, {
      hint: 'try again later; coordinator queue',
    })
  }
  context.roster.underway.set(order.request, { order, state: 'queued' })
  const { name, project, request, image } = order
  context.note({ kind: 'worker-queued', worker: name, project: project.path, request, message: `with image ${image}` })
  return await context.queue.add(order)
}
