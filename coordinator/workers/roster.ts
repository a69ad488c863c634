import { Failure } from '../contract/failure.ts'
import type { InstanceName, RequestId } from '../contract/names.ts'
import type { Worker } from '../contract/worker.ts'
import { asWorker, type WorkerContainer } from '../domain/container.ts'
import { findWorker } from '../domain/worker-ref.ts'
import { type Underway, workersOf } from '../domain/worker-view.ts'
import type { Engine } from '../docker/engine.ts'
import type { Records } from '../state/records.ts'

/** How long whoever asks waits at most, after a start, for what a coordinator before this one left in the queue. Milliseconds. */
const UNREAD = 2_000

/**
 * Who is there: the containers that the engine shows now, joined with the records, the spawns under way and the open
 * terminals. Always asks the engine, so that a list is never stale, and fails when it does not answer: an empty list would lie.
 */
export class Roster {
  readonly underway = new Map<RequestId, Underway>()
  /** Open terminals by request. */
  readonly attached = new Map<string, number>()
  readonly #engine: Engine
  readonly #records: Records
  readonly #instance: InstanceName
  readonly #now: () => number
  readonly #read = Promise.withResolvers<void>()
  readonly #resumedOrLate: Promise<void>
  #resumed = false

  constructor(engine: Engine, records: Records, instance: InstanceName, now: () => number) {
    this.#engine = engine
    this.#records = records
    this.#instance = instance
    this.#now = now
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, UNREAD).unref()
    })
    this.#resumedOrLate = Promise.race([this.#read.promise, late])
  }

  /** Whether `underway` has the spawns that a coordinator before this one left in the queue; not before Redis was there. */
  get resumed(): boolean {
    return this.#resumed
  }

  resume(): void {
    this.#resumed = true
    this.#read.resolve()
  }

  async containers(): Promise<WorkerContainer[]> {
    const containers = await this.#engine.containers()
    return containers.map((container) => asWorker(container, this.#instance)).filter((worker) => worker !== undefined)
  }

  async workers(): Promise<Worker[]> {
    await this.#resumedOrLate
    return workersOf({
      containers: await this.containers(),
      records: this.#records.all(),
      underway: [...this.underway.values()],
      attached: this.attached,
      now: this.#now(),
    })
  }

  /** The worker a person means; fails with `not-found` or `ambiguous`, and as `requests` while it could be one that waits. */
  async find(ref: string): Promise<Worker> {
    const workers = await this.workers()
    try {
      return findWorker(ref, workers)
    } catch (error) {
      if (Failure.from(error).code === 'not-found') await this.requests()
      throw error
    }
  }

  /** The spawns under way; needs no engine. Fails with `not-ready` while those from before could not be read. */
  async requests(): Promise<Underway[]> {
    await this.#resumedOrLate
    if (!this.#resumed)
      throw new Failure('not-ready', 'The requests that wait in Redis could not be read yet.', {
        hint: 'coordinator status',
      })
    return [...this.underway.values()]
  }

  /** The worker of one request as it is now. */
  async ofRequest(request: RequestId): Promise<Worker | undefined> {
    return (await this.workers()).find((worker) => worker.request === request)
  }
}
