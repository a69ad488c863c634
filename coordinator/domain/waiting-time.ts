import { Failure } from '../contract/failure.ts'
import type { SpawnOrder } from './spawn-order.ts'

/** An order that finds room at once is let in whatever its time: `--wait 0s` means "now or not at all". Milliseconds. */
const AT_ONCE = 1_000

/** How much longer an order may wait. Milliseconds, never less than what "at once" takes. */
export function timeLeft(order: SpawnOrder, now: number): number {
  return Math.max(AT_ONCE, order.waitUntil - now)
}

/**
 * Whether an order whose turn has come comes too late to be begun: nobody expects its worker any more. One that was begun
 * before a coordinator died is gone on with, since its worker may run.
 */
export function tooLate(order: SpawnOrder, begun: boolean, now: number): boolean {
  return !begun && now > order.waitUntil + AT_ONCE
}

export function waitedTooLong(order: SpawnOrder): Failure {
  return new Failure('queue-timeout', `Worker "${order.name}" waited in the queue longer than it may.`, {
    hint: 'wait longer with --wait 10m',
  })
}
