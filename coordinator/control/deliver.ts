import { Failure } from '../contract/failure.ts'
import type { SpawnRequest } from '../contract/request.ts'
import type { Spawned, SpawnResult } from '../contract/worker.ts'
import { runMode } from '../domain/run-mode.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { fromOrder } from '../domain/worker-view.ts'
import type { SpawnQueue } from '../queue/spawn-queue.ts'
import type { Context } from '../workers/context.ts'
import { type IntakeContext, takeIn } from './intake.ts'

export type DeliverContext = Context & { queue: SpawnQueue; intake: IntakeContext; maxQueue: number }

/**
 * Takes a spawn request to its answer: a known id gets the answer it had, or will have; a new one is taken in, queued and
 * awaited. So a client that was cut off asks again with the same id, and never gets a second worker.
 */
export async function deliver(request: SpawnRequest, context: DeliverContext): Promise<SpawnResult> {
  const run = runMode(request.run, request.clientEnv['AGENTIC_IN_CONTAINER'])
  const known = await context.queue.answer(request.id)
  if (known !== undefined) return { ...(await known.settled), run }
  if (context.roster.underway.has(request.id)) return { ...(await context.queue.settled(request.id)), run }
  const order = await takeIn(request, context.intake)
  const { settled } = await enqueue(order, context)
  if (!request.noWait) return { ...(await inTime(order, settled, context)), run }
  settled.catch(() => {}) // Told as an event; nobody waits for it here.
  return {
    worker: fromOrder(order, 'queued'),
    run: { mode: 'detached', because: '--no-wait was given' },
    notices: order.notices,
    timings: {},
  }
}

async function enqueue(order: SpawnOrder, context: DeliverContext): Promise<{ settled: Promise<Spawned> }> {
  const { waiting } = await context.queue.depth()
  if (waiting >= context.maxQueue) {
    throw new Failure('queue-full', `${waiting} requests are waiting already (HAL9000_MAX_QUEUE).`, {
      hint: 'try again later; coordinator list',
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

/** The processor's answer; an order that nobody took up until its time to wait was over is taken back. */
async function inTime(order: SpawnOrder, settled: Promise<Spawned>, context: DeliverContext): Promise<Spawned> {
  const late = new Failure('queue-timeout', `Worker "${order.name}" waited in the queue longer than it may.`, {
    hint: 'wait longer with --wait 10m',
  })
  const timer = setTimeout(
    () => {
      context.queue.cancel(order.request, late).then(
        (cancelled) => cancelled && context.roster.underway.delete(order.request),
        (error: unknown) =>
          context.log.warn({ err: error, request: order.request }, 'a late request could not be taken back'),
      )
    },
    Math.max(0, order.waitUntil - context.now()),
  )
  try {
    return await settled
  } finally {
    clearTimeout(timer)
  }
}
