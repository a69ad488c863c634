import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { Limits } from '../contract/worker.ts'
import { type Admission, admit, type Capacity } from '../domain/admission.ts'
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
  readonly #diskFull: () => Promise<boolean>
  readonly #entered = new Map<RequestId, Limits>()
  /** Who waits, and how to end that. */
  readonly #waiting = new Map<RequestId, (failure: Failure) => void>()
  #turn: Promise<void> = Promise.resolve()
  #because = ''

  /** `diskFull`: whether the state directory takes no more; what was acknowledged waits for that as for any other room. */
  constructor(capacity: Capacity, roster: Roster, diskFull: () => Promise<boolean>) {
    this.#capacity = capacity
    this.#roster = roster
    this.#diskFull = diskFull
  }

  /** Returns when there is room; fails with `queue-timeout` when the order's time to wait is over, or as `cancel` says. */
  async enter(order: SpawnOrder, now: () => number): Promise<void> {
    const { maxWorkers, memoryBudget, cpuBudget } = this.#capacity
    const isBounded = maxWorkers > 0 || memoryBudget !== null || cpuBudget !== null
    if (!isBounded && !(await this.#diskFull())) return
    if (this.#waiting.size === 0) this.#because = ''
    const cancelled = new Promise<never>((_resolve, reject) => this.#waiting.set(order.request, reject))
    const turn = this.#turn.then(() => this.#waitFor(order))
    this.#turn = turn.catch(() => {})
    // Whoever stands behind one that may wait longer is still told in time. Not at once: there may be room.
    const timer = setTimeout(
      () => this.cancel(order.request, this.#late(order)),
      Math.max(STEP, order.waitUntil - now()),
    )
    try {
      await Promise.race([turn, cancelled])
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(order.request)
    }
  }

  /** Why the first that waits is not let in; null while nobody waits, or nothing is known to be in its way. */
  get because(): string | null {
    return this.#waiting.size === 0 || this.#because === '' ? null : this.#because
  }

  /** Takes back an order that still waits for room; false when it does not. */
  cancel(request: RequestId, failure: Failure): boolean {
    const reject = this.#waiting.get(request)
    reject?.(failure)
    return this.#waiting.delete(request)
  }

  leave(request: RequestId): void {
    this.#entered.delete(request)
  }

  async #waitFor(order: SpawnOrder): Promise<void> {
    while (this.#waiting.has(order.request)) {
      const admission = await this.#admit(order)
      if (!this.#waiting.has(order.request)) return
      if (admission.admit) {
        this.#entered.set(order.request, order.limits)
        return
      }
      if (!admission.ever)
        throw new Failure('invalid-value', `Worker "${order.name}" can never start: ${admission.because}.`)
      this.#because = admission.because
      await new Promise((resolve) => setTimeout(resolve, STEP))
    }
  }

  async #admit(order: SpawnOrder): Promise<Admission> {
    if (await this.#diskFull()) return { admit: false, because: 'the state directory is full', ever: true }
    return admit(this.#capacity, await this.#inUse(order), order.limits)
  }

  #late(order: SpawnOrder): Failure {
    const because = this.#because === '' ? '' : `: ${this.#because}`
    return new Failure('queue-timeout', `There was no room for worker "${order.name}" in time${because}.`, {
      hint: 'wait longer with --wait 10m, or end a worker with: coordinator stop NAME',
    })
  }

  async #inUse({ request, replace, name, project }: SpawnOrder): Promise<Limits[]> {
    const inUse = new Map(this.#entered)
    for (const container of await this.#roster.containers()) {
      const makesWay = replace && container.worker === name && container.project === project.path
      if (ALIVE.has(container.state) && !makesWay) inUse.set(container.request, container.spec.limits)
    }
    inUse.delete(request)
    return [...inUse.values()]
  }
}
