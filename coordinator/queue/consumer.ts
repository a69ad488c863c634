import { type Job, type Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { Canary } from './canary.ts'
import { reclaim } from './reclaim.ts'
import type { Failure } from '../contract/failure.ts'

/** Starts in parallel; more only add latency on a small host (facts: 4 at a time is best). */
const CONCURRENCY = 4
/** A coordinator that died is noticed within these times. Milliseconds. */
const LOCK = 5_000
const STALLED_CHECK = 2_000
/**
 * How long the wait for a job may block. A stopped Redis that goes on hands a job that was waited for before to a connection that
 * is gone; after this the next one is asked for. Seconds.
 */
const BLOCK = 1
/** How soon the end of a job is told again that Redis did not take. Milliseconds; BullMQ's own is 15 s. */
const RETRY = 500
/** A job is handed on after this many deaths of the coordinator; BullMQ's own default of 1 would fail it at the second. */
const MAX_DEATHS = 25

const CANARY = 'canary'
/** One at a time, behind every order, and not among those that wait: `waiting` is another list than that of priorities. */
const CANARY_OPTIONS = { jobId: CANARY, priority: 1, removeOnComplete: true, removeOnFail: true }

/** What Redis sees of an order and of its answer: both hold the command. */
export type Sealed = { sealed: string }
export type OrderJob = Job<Sealed, Sealed>

export type ConsumerOptions = {
  queue: Queue<Sealed, Sealed>
  /** Makes a connection for the consumer; it works on duplicates of it. */
  connection: () => Redis
  prefix: string
  /** Who works on a job: this coordinator, and those before it with the same state directory. */
  name: string
  process: (job: OrderJob) => Promise<Sealed>
  /** A job that died too often is failed by BullMQ itself, not by `process`. */
  onFailed: (request: string, error: Error) => void
  /** The lock of a job that is worked on here ran out: somebody else may have taken it up. */
  onLostLock: () => void
  onError: (error: Error) => void
}

/** Takes jobs off the queue, several at a time, for as long as the coordinator lives; sees to it that it goes on doing so. */
export class Consumer {
  readonly #options: ConsumerOptions
  readonly #canary: Canary
  #worker: Worker<Sealed, Sealed> | undefined
  #active = 0

  constructor(options: ConsumerOptions) {
    this.#options = options
    this.#canary = new Canary({
      send: () => options.queue.add(CANARY, { sealed: '' }, CANARY_OPTIONS),
      hasPlace: () => this.#active < CONCURRENCY,
      onSilence: () => this.#renew(),
    })
  }

  /** Begins with the jobs that the coordinator before this one was at when it died. Fails without Redis. */
  async start(): Promise<void> {
    await reclaim(this.#options.queue, this.#options.name)
    this.#worker = this.#begin()
    this.#canary.start()
  }

  /** Why jobs are not taken up, though Redis answers; undefined while they are. */
  get trouble(): Failure | undefined {
    return this.#canary.trouble
  }

  /** No new job; what runs is finished, or handed on once `forced` settles. */
  async close(forced: Promise<void>): Promise<void> {
    this.#canary.stop()
    const worker = this.#worker
    if (worker === undefined) return
    await Promise.race([worker.close(), forced])
    await Promise.race([worker.close(true), forced])
  }

  /** The connections may be cut once nobody waits for them any more. */
  async disconnect(): Promise<void> {
    await this.#worker?.disconnect()
  }

  #begin(): Worker<Sealed, Sealed> {
    const { connection, prefix, name, queue, onError, onFailed, onLostLock } = this.#options
    const worker = new Worker<Sealed, Sealed>(queue.name, (job) => this.#process(job), {
      connection: connection(),
      prefix,
      concurrency: CONCURRENCY,
      lockDuration: LOCK,
      stalledInterval: STALLED_CHECK,
      maxStalledCount: MAX_DEATHS,
      runRetryDelay: RETRY,
      drainDelay: BLOCK,
      name,
    })
    worker.on('error', onError)
    worker.on('lockRenewalFailed', onLostLock)
    // What was asked is of no use any more, and may hold secrets: the answer alone is kept.
    const forget = (job: OrderJob | undefined): void => {
      if (job?.name !== CANARY) job?.updateData({ sealed: '' }).catch(onError)
    }
    worker.on('completed', forget)
    worker.on('failed', (job, error) => {
      forget(job)
      if (job?.id !== undefined) onFailed(job.id, error)
    })
    return worker
  }

  /** The consumer is deaf: another one with connections of its own takes its place. What the old one is at, it finishes. */
  #renew(): void {
    const { onError } = this.#options
    onError(new Error('nothing is taken off the queue, though Redis answers: with new connections from now on'))
    const deaf = this.#worker
    this.#worker = this.#begin()
    // Not in order: it would wait for answers that never come.
    deaf?.close(true).catch(onError)
    deaf?.disconnect().catch(onError)
  }

  async #process(job: OrderJob): Promise<Sealed> {
    this.#canary.heard()
    if (job.name === CANARY) return { sealed: '' }
    this.#active += 1
    try {
      return await this.#options.process(job)
    } finally {
      this.#active -= 1
    }
  }
}
