import { setTimeout as sleep } from 'node:timers/promises'
import type { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import { engineAwayTooLong } from '../domain/outage.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'

/** Between looks for an engine that is away. Milliseconds. */
const STEP = 1_000

/** Orders that wait for the engine. One look at a time is taken for all of them. */
export class Outage {
  readonly #waiting = new Map<RequestId, PromiseWithResolvers<void>>()
  readonly #look: () => Promise<unknown>
  readonly #step: number
  #looking = false
  #trouble: Failure | undefined

  /** `look` succeeds when the engine answers. */
  constructor(look: () => Promise<unknown>, step = STEP) {
    this.#look = look
    this.#step = step
  }

  /** Why the engine is away, while orders wait for it. */
  get trouble(): Failure | undefined {
    return this.#waiting.size === 0 ? undefined : this.#trouble
  }

  /** Returns when the engine answers; fails when the order's time to wait is over before that, or as `cancel` says. */
  async wait(order: SpawnOrder, trouble: Failure, now: () => number): Promise<void> {
    const waiting = Promise.withResolvers<void>()
    this.#waiting.set(order.request, waiting)
    this.#trouble = trouble
    const timer = setTimeout(() => waiting.reject(engineAwayTooLong(order, trouble)), order.waitUntil - now())
    void this.#untilBack()
    try {
      await waiting.promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(order.request)
    }
  }

  /** Takes back an order that waits for the engine; false when it does not. */
  cancel(request: RequestId, failure: Failure): boolean {
    this.#waiting.get(request)?.reject(failure)
    return this.#waiting.delete(request)
  }

  async #untilBack(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    while (this.#waiting.size > 0) {
      await sleep(this.#step)
      const answered = await this.#look().then(
        () => true,
        () => false,
      )
      // All at once, in the order in which they came.
      if (answered) for (const { resolve } of this.#waiting.values()) resolve()
      if (answered) this.#waiting.clear()
    }
    this.#looking = false
  }
}
