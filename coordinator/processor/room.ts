import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { Limits } from '../contract/worker.ts'
import { admit, type Capacity } from '../domain/admission.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import type { Roster } from '../workers/roster.ts'

/** How often a waiting order looks again. Milliseconds. */
const STEP = 200

const ALIVE = new Set(['created', 'running', 'paused', 'restarting'])

/**
 * Room for workers: one order at a time is let in, first come first served, so that two cannot take the same place.
 * An order let in counts until `leave`, also before its container can be seen.
 */
export class Room {
  readonly #capacity: Capacity
  readonly #roster: Roster
  readonly #entered = new Map<RequestId, Limits>()
  #turn: Promise<void> = Promise.resolve()

  constructor(capacity: Capacity, roster: Roster) {
    this.#capacity = capacity
    this.#roster = roster
  }

  /** Returns when there is room; fails with `queue-timeout` when the order's time to wait is over. */
  async enter(order: SpawnOrder, now: () => number): Promise<void> {
    const { maxWorkers, memoryBudget, cpuBudget } = this.#capacity
    if (maxWorkers === 0 && memoryBudget === null && cpuBudget === null) return
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    try {
      await before
      await this.#waitFor(order, now)
    } finally {
      resolve()
    }
  }

  leave(request: RequestId): void {
    this.#entered.delete(request)
  }

  async #waitFor(order: SpawnOrder, now: () => number): Promise<void> {
    for (;;) {
      const admission = admit(this.#capacity, await this.#inUse(order.request), order.limits)
      if (admission.admit) {
        this.#entered.set(order.request, order.limits)
        return
      }
      if (!admission.ever)
        throw new Failure('invalid-value', `Worker "${order.name}" can never start: ${admission.because}.`)
      if (now() >= order.waitUntil) {
        throw new Failure(
          'queue-timeout',
          `There was no room for worker "${order.name}" in time: ${admission.because}.`,
          {
            hint: 'wait longer with --wait 10m, or end a worker with: coordinator stop NAME',
          },
        )
      }
      await new Promise((resolve) => setTimeout(resolve, STEP))
    }
  }

  async #inUse(own: RequestId): Promise<Limits[]> {
    const inUse = new Map(this.#entered)
    for (const container of await this.#roster.containers()) {
      if (ALIVE.has(container.state)) inUse.set(container.request, container.spec.limits)
    }
    inUse.delete(own)
    return [...inUse.values()]
  }
}
