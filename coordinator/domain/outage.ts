import { Failure } from '../contract/failure.ts'
import type { SpawnOrder } from './spawn-order.ts'

/** What an order waits for that is tried again, as it is shown in the queue. */
export const WAITS_FOR_ENGINE = 'the Docker engine does not answer'

/** Whether an order that has failed is tried again once the engine answers: it was acknowledged, and its time to wait is not over. */
export function waitsForEngine(order: SpawnOrder, failure: Failure, now: number): boolean {
  return failure.code === 'engine-unreachable' && now < order.waitUntil
}

/** What an order is told whose time to wait is over before the engine answers again; `trouble`: why it does not. */
export function engineAwayTooLong({ name }: SpawnOrder, trouble: Failure): Failure {
  const message = `The Docker engine did not answer while worker "${name}" could wait for it: ${trouble.message}`
  return new Failure('engine-unreachable', message, {
    ...(trouble.hint === undefined ? {} : { hint: trouble.hint }),
    cause: trouble,
  })
}
