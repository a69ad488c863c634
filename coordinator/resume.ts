import type { SpawnOrder } from './domain/spawn-order.ts'
import { carryOut, type CarryOutContext } from './processor/carry-out.ts'
import type { SpawnQueue } from './queue/spawn-queue.ts'
import type { SpooledInputs } from './queue/spooled-inputs.ts'
import { inTime } from './workers/take-back.ts'

/** How soon Redis is asked again for what waits in it. Milliseconds. */
const RETRY = 100

/** Takes up the queue as soon as Redis is there, however long that takes. */
export async function resume(queue: SpawnQueue, inputs: SpooledInputs, context: CarryOutContext): Promise<void> {
  for (;;) {
    try {
      for (const order of await queue.pending()) takeUp(order, queue, inputs, context)
      context.roster.resume()
      await queue.start((order, begun) => carryOut(order, begun, context))
      return
    } catch (error) {
      context.log.debug({ err: error }, 'the queue is not there yet')
      await new Promise((resolve) => setTimeout(resolve, RETRY))
    }
  }
}

/** An order from before: it is on its way until it has an answer, which it gets in time. */
function takeUp(order: SpawnOrder, queue: SpawnQueue, inputs: SpooledInputs, context: CarryOutContext): void {
  const { underway } = context.roster
  underway.set(order.request, { order, state: 'queued' })
  const settled = queue.settled(order.request, order)
  inputs.dropOnceSettled(order, settled)
  inTime(order, settled, { ...context, queue })
    .catch(() => {}) // Told as an event; who asked asks again.
    .finally(() => underway.delete(order.request))
}
