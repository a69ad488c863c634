import type { InstanceName, RequestId } from '../contract/names.ts'
import type { Worker } from '../contract/worker.ts'
import { asWorker, type WorkerContainer } from '../domain/container.ts'
import { findWorker } from '../domain/worker-ref.ts'
import { type Underway, workersOf } from '../domain/worker-view.ts'
import type { Engine } from '../docker/engine.ts'
import type { Records } from '../state/records.ts'

/**
 * Who is there: the containers that the engine shows now, joined with the records, the spawns under way and the open
 * terminals. Always asks the engine, so that a list is never stale, and fails when it does not answer: an empty list would lie.
 */
export class Roster {
  readonly underway = new Map<RequestId, Underway>()
  /** Whether `underway` has the spawns that a coordinator before this one left in the queue; not while Redis is away. */
  resumed = false
  /** Open terminals by request. */
  readonly attached = new Map<string, number>()
  readonly #engine: Engine
  readonly #records: Records
  readonly #instance: InstanceName
  readonly #now: () => number

  constructor(engine: Engine, records: Records, instance: InstanceName, now: () => number) {
    this.#engine = engine
    this.#records = records
    this.#instance = instance
    this.#now = now
  }

  async containers(): Promise<WorkerContainer[]> {
    const containers = await this.#engine.containers()
    return containers.map((container) => asWorker(container, this.#instance)).filter((worker) => worker !== undefined)
  }

  async workers(): Promise<Worker[]> {
    return workersOf({
      containers: await this.containers(),
      records: this.#records.all(),
      underway: [...this.underway.values()],
      attached: this.attached,
      now: this.#now(),
    })
  }

  /** The worker a person means; fails with `not-found` or `ambiguous`. */
  async find(ref: string): Promise<Worker> {
    return findWorker(ref, await this.workers())
  }

  /** The worker of one request as it is now. */
  async ofRequest(request: RequestId): Promise<Worker | undefined> {
    return (await this.workers()).find((worker) => worker.request === request)
  }
}
