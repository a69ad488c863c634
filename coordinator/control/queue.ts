import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { ROUTE } from '../contract/control.ts'
import { RequestId } from '../contract/names.ts'
import type { Pull, PullResult } from '../contract/pull.ts'
import type { CancelResult, QueueResult } from '../contract/queue.ts'
import type { Worker } from '../contract/worker.ts'
import { findRequest } from '../domain/request-ref.ts'
import { waitingLine } from '../domain/waiting-line.ts'
import { findWorker, referenceTo } from '../domain/worker-ref.ts'
import { fromOrder } from '../domain/worker-view.ts'
import { cancelled, takeBack } from '../workers/take-back.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { answer, refOf } from './workers.ts'

const PullParams = z.object({ id: RequestId })

/** The requests that are on their way, and taking back those that wait. Needs no engine. */
export function queueRoutes(server: FastifyInstance, context: ControlContext): void {
  server.get(ROUTE.queue, async () => {
    const pulling = (request: RequestId): Pull | undefined => context.pulls.of(request)
    const requests = waitingLine(await context.roster.requests(), context.room.because, pulling)
    return answer({ requests } satisfies QueueResult)
  })
  server.get(ROUTE.pull, async (request) => {
    const { id } = parseInput(PullParams, request.params)
    return answer({ pull: context.pulls.of(id) ?? null } satisfies PullResult)
  })
  server.post(ROUTE.cancel, async (request) => answer(await cancel(refOf(request), context)))
}

async function cancel(ref: string, context: ControlContext): Promise<CancelResult> {
  const underway = (await context.roster.requests()).map(({ order, state }) => fromOrder(order, state))
  const waiting = underway.filter(({ state }) => state === 'queued')
  // Who waits is meant first: one that is being started, or runs, may have the name too.
  const worker = findRequest(ref, waiting) ?? findRequest(ref, underway)
  if (worker === undefined || !(await takeBack(worker, context))) throw await refusal(worker?.request ?? ref, context)
  return { worker: cancelled(worker), notices: [] }
}

/** Why there is nothing to take back: too late, or never heard of. */
async function refusal(ref: string, { roster }: ControlContext): Promise<Failure> {
  const workers = await roster.workers()
  const worker = workers.find(({ request }) => ref.length >= 4 && request.startsWith(ref)) ?? known(ref, workers)
  if (worker === undefined)
    return new Failure('not-found', `No request is known by "${ref}".`, { hint: 'coordinator queue' })
  const { name, state } = worker
  const own = referenceTo(worker, workers)
  if (state === 'ended')
    return new Failure('wrong-state', `Worker "${name}" has ended.`, { hint: `coordinator inspect ${own}` })
  // What nobody could take back is not queued any more, even if nobody has said so yet.
  const now = state === 'queued' ? 'creating' : state
  return new Failure('wrong-state', `The request for worker "${name}" waits no more: it is ${now}.`, {
    hint: `coordinator stop ${own}`,
  })
}

function known(ref: string, workers: readonly Worker[]): Worker | undefined {
  try {
    return findWorker(ref, workers)
  } catch (error) {
    if (Failure.from(error).code === 'not-found') return undefined
    throw error
  }
}
