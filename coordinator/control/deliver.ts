import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { SpawnRequest } from '../contract/request.ts'
import type { Spawned, SpawnResult } from '../contract/worker.ts'
import { runMode } from '../domain/run-mode.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { fromOrder } from '../domain/worker-view.ts'
import type { SpawnQueue } from '../queue/spawn-queue.ts'
import type { SpooledInputs } from '../queue/spooled-inputs.ts'
import type { Context } from '../workers/context.ts'
import { inTime, type TakeBackContext } from '../workers/take-back.ts'
import { type IntakeContext, takeIn } from './intake.ts'

export type DeliverContext = Context & {
  queue: Pick<SpawnQueue, 'add' | 'answer' | 'cancel' | 'depth' | 'settled'>
  inputs: Pick<SpooledInputs, 'keep' | 'claim' | 'drop' | 'dropOnceSettled'>
  outage: TakeBackContext['outage']
  intake: IntakeContext
  maxQueue: number
  /** Requests that are being taken in now, until the queue knows them. */
  arriving: Map<RequestId, Promise<Accepted>>
}

/** A request that has an answer, or will have one: `settled`. */
type Accepted = { settled: Promise<Spawned> }

/**
 * Takes a spawn request to its answer: a known id gets the answer it had, or will have; a new one is taken in, queued and
 * awaited. So a client that was cut off asks again with the same id, and never gets a second worker.
 */
export async function deliver(request: SpawnRequest, context: DeliverContext): Promise<SpawnResult> {
  const run = runMode(request.run, request.clientEnv['AGENTIC_IN_CONTAINER'])
  const { settled } = await accept(request, context)
  const underway = context.roster.underway.get(request.id)
  if (!request.noWait || underway === undefined) return { ...(await settled), run }
  return {
    worker: fromOrder(underway.order, underway.state),
    run: { mode: 'detached', because: '--no-wait was given' },
    notices: underway.order.notices,
    timings: {},
  }
}

/** Taking in takes a while, in which neither the queue nor anybody else knows the request: its id again joins in here. */
function accept(request: SpawnRequest, context: DeliverContext): Promise<Accepted> {
  const { arriving } = context
  const before = arriving.get(request.id)
  if (before !== undefined) return before
  const accepted = acceptFirst(request, context).finally(() => arriving.delete(request.id))
  arriving.set(request.id, accepted)
  return accepted
}

async function acceptFirst(request: SpawnRequest, context: DeliverContext): Promise<Accepted> {
  const known = await context.queue.answer(request.id)
  if (known !== undefined) return known
  if (context.roster.underway.has(request.id)) return { settled: context.queue.settled(request.id) }
  try {
    const order = await takeIn(request, context.intake)
    await context.inputs.claim(order)
    const { settled } = await enqueue(order, context)
    context.inputs.dropOnceSettled(order, settled)
    const answered = inTime(order, settled, context)
    answered.catch(() => {}) // Told as an event too; with --no-wait nobody waits for it here.
    return { settled: answered }
  } catch (error) {
    // Refused for good, unless it may be asked again.
    if (request.input !== null && Failure.from(error).code !== 'not-ready') context.inputs.drop(request.id)
    throw error
  }
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
  try {
    return await context.queue.add(order)
  } catch (error) {
    context.roster.underway.delete(request)
    throw error
  }
}
