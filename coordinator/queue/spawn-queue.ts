import { createHash } from 'node:crypto'
import { Queue, UnrecoverableError } from 'bullmq'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { Spawned } from '../contract/worker.ts'
import { SpawnOrder } from '../domain/spawn-order.ts'
import { type Fence, fenced } from '../store/fence.ts'
import { checkRedis, COMMAND_TIMEOUT, CONNECTION, type RedisAddress, redisFailure } from '../store/redis.ts'
import { Answers } from './answers.ts'
import { Consumer, type OrderJob, type Sealed } from './consumer.ts'
import { seal, unseal } from './sealed.ts'

/** How long, and how many, answers are kept for a client that asks again. */
const KEEP = { age: 24 * 3600, count: 2000 }
/** And for how long where Redis is full: what a worker came to its record knows too. Milliseconds. */
const KEEP_WHEN_FULL = 15_000

/** Our own, unchanged: the seal says so. */
const Answer = z.custom<Spawned>((value) => typeof value === 'object' && value !== null && 'worker' in value)

type ConnectionOptions = {
  maxRetriesPerRequest: number | null
  enableOfflineQueue?: boolean
  commandTimeout?: number
  lazyConnect?: boolean
}

type Process = (order: SpawnOrder, begun: boolean) => Promise<Spawned>

export type SpawnQueueOptions = {
  redis: RedisAddress
  instance: string
  key: Buffer
  fence: Fence
  /** The lock of a job that is worked on here ran out: somebody else may have taken it up. */
  onLostLock: () => void
  onError: (error: Error) => void
}

/**
 * The queue of spawn requests: a job is one order, encrypted, and means "make it so". Its id is the request's, so that the
 * same request twice is one job. It ends when the worker is ready, or with the failure that the client is told.
 */
export class SpawnQueue {
  readonly #queue: Queue<Sealed, Sealed>
  readonly #options: SpawnQueueOptions
  readonly #answers = new Answers()
  /** Orders that are being carried out by this process. */
  readonly #working = new Map<string, Promise<Spawned>>()
  readonly #producer: Redis
  /** What was wrong with its connection last; nothing once it is there again. */
  #connectionTrouble: Error | undefined
  #consumer: Consumer | undefined
  #closing = false

  constructor(options: SpawnQueueOptions) {
    this.#options = options
    // The producer must not buffer: a request is acknowledged only when Redis has it.
    this.#producer = this.#connection({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: COMMAND_TIMEOUT,
    })
    this.#producer.on('error', (error: Error) => {
      this.#connectionTrouble = error
    })
    this.#producer.on('ready', () => {
      this.#connectionTrouble = undefined
    })
    this.#queue = new Queue('spawn', { connection: this.#producer, prefix: this.#prefix })
    this.#queue.on('error', options.onError)
  }

  /** Who works on a job: this coordinator, and those before it with the same state directory. */
  get #workerName(): string {
    return createHash('sha256').update(this.#options.key).digest('hex').slice(0, 16)
  }

  get #prefix(): string {
    return `hal9000:${this.#options.instance}`
  }

  /** Every script of BullMQ's goes through here, so that none of a coordinator that has been succeeded writes. */
  #connection(options: ConnectionOptions): Redis {
    return fenced(new Redis({ ...this.#options.redis, ...CONNECTION, ...options }), this.#options.fence)
  }

  /**
   * Puts the order on the queue; the same request again changes nothing. Its answer comes with the promise that is returned.
   * Fails with `not-ready` without Redis, or with one that would not keep it.
   */
  async add(order: SpawnOrder): Promise<{ settled: Promise<Spawned> }> {
    // Asked for before it is on the queue: the answer may come before `add` has returned.
    const settled = this.#answers.of(order.request)
    try {
      await this.check()
      await this.#put(order)
      this.#answers.owe(order)
    } catch (error) {
      this.#answers.refuse(order.request, Failure.from(error))
      throw error
    }
    return { settled }
  }

  /** Fails with `not-ready` when Redis would not keep a request. Makes room there if that is all there is to it. */
  async check(): Promise<void> {
    // Answers hold their command, which may be large.
    const makeRoom = (): Promise<unknown> => this.#queue.clean(KEEP_WHEN_FULL, KEEP.count, 'completed')
    await this.#ask(() => checkRedis(this.#producer, makeRoom))
  }

  /**
   * Puts what was acknowledged and has no answer yet on the queue again: a Redis that comes back may be an older copy, or empty.
   * What it knows stays as it is. Fails with `not-ready` without Redis.
   */
  async putBack(): Promise<void> {
    for (const order of this.#answers.owed) await this.#put(order)
  }

  /** The answer to a request that is known, now or when there is one; undefined when it is not known. */
  async answer(request: RequestId): Promise<{ settled: Promise<Spawned> } | undefined> {
    const given = this.#answers.known(request)
    if (given !== undefined) return { settled: given }
    const job = await this.#ask(() => this.#queue.getJob(request))
    const state = await this.#ask(async () => job?.getState())
    // Given while it was looked at: what was seen may be half of the truth.
    const known = this.#answers.known(request)
    if (known !== undefined) return { settled: known }
    if (job === undefined) return undefined
    if (state === 'failed') return { settled: rejected(failureOf(job.failedReason)) }
    if (state !== 'completed') return { settled: this.#answers.of(request) }
    return { settled: Promise.resolve(Answer.parse(unseal(this.#options.key, request, job.returnvalue.sealed))) }
  }

  /** Settles when the processor in this process has an answer to a request that is under way; `order`, where it is known here only. */
  settled(request: string, order?: SpawnOrder): Promise<Spawned> {
    if (order !== undefined) this.#answers.owe(order)
    return this.#answers.of(request)
  }

  /** Takes a request back that nobody works on yet; false when it is too late for that. */
  async cancel(request: RequestId, failure: Failure): Promise<boolean> {
    const job = await this.#ask(() => this.#queue.getJob(request))
    // One that was begun waits again only because its coordinator died: its worker may run.
    if (job === undefined || job.attemptsStarted > 0) return false
    if ((await this.#ask(() => job.getState())) !== 'waiting') return false
    try {
      await job.remove()
    } catch {
      return false // A worker took it in this moment: it is locked.
    }
    this.#answers.takeBack(request, failure)
    return true
  }

  /** Orders that wait, or were being worked on when the coordinator died. Oldest first. */
  async pending(): Promise<SpawnOrder[]> {
    const jobs = await this.#ask(() => this.#queue.getJobs(['active', 'waiting', 'delayed'], 0, -1, true))
    return jobs.sort((a, b) => a.timestamp - b.timestamp).flatMap((job) => this.#readable(job))
  }

  async depth(): Promise<{ waiting: number; active: number }> {
    const counts = await this.#ask(() => this.#queue.getJobCounts('waiting', 'active'))
    return { waiting: counts['waiting'] ?? 0, active: counts['active'] ?? 0 }
  }

  /**
   * Starts to carry orders out; first those that the coordinator before this one was at when it died. `begun`: this one was
   * taken up before.
   */
  async start(process: Process): Promise<void> {
    if (this.#closing) return
    const consumer = new Consumer({
      queue: this.#queue,
      connection: () => this.#connection({ maxRetriesPerRequest: null, lazyConnect: true }),
      prefix: this.#prefix,
      name: this.#workerName,
      process: (job) => this.#process(job, process),
      onFailed: (request, error) => this.#answers.give(request, failureOf(error.message)),
      onLostLock: this.#options.onLostLock,
      onError: this.#options.onError,
    })
    await this.#ask(() => consumer.start())
    this.#consumer = consumer
  }

  /** Why orders are not taken up, though Redis answers; undefined while they are. */
  get trouble(): Failure | undefined {
    return this.#consumer?.trouble
  }

  /** No new work; what runs is finished, or handed on after `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    this.#closing = true
    const forced = new Promise<void>((resolve) => {
      setTimeout(resolve, grace).unref()
    })
    await this.#consumer?.close(forced)
    await Promise.race([this.#queue.close(), forced])
    this.#producer.disconnect()
    await Promise.race([this.#consumer?.disconnect(), forced])
  }

  async #process(job: OrderJob, process: Process): Promise<Sealed> {
    const request = job.id ?? ''
    try {
      const result = await this.#once(request, () => process(this.#orderOf(job), job.attemptsStarted > 1))
      // The client is answered here, in-process: waiting for Redis to tell us what we know would only add a way to miss it.
      this.#answers.give(request, result)
      return { sealed: seal(this.#options.key, request, result) }
    } catch (error) {
      const failure = Failure.from(error)
      this.#answers.give(request, failure)
      throw new UnrecoverableError(JSON.stringify(failure.toShape()))
    }
  }

  /** A job whose lock ran out while Redis was away comes again, though it is still worked on here: then it joins in. */
  async #once(request: string, work: () => Promise<Spawned>): Promise<Spawned> {
    const before = this.#working.get(request)
    if (before !== undefined) return await before
    const begun = work()
    this.#working.set(request, begun)
    try {
      return await begun
    } finally {
      this.#working.delete(request)
    }
  }

  /** An order that cannot be read (sealed with another key) fails when its turn comes; it must not keep the others. */
  #readable(job: OrderJob): SpawnOrder[] {
    try {
      return [this.#orderOf(job)]
    } catch {
      return []
    }
  }

  #orderOf(job: OrderJob): SpawnOrder {
    return SpawnOrder.parse(unseal(this.#options.key, job.id ?? '', job.data.sealed))
  }

  /** The same request again changes nothing. */
  async #put(order: SpawnOrder): Promise<void> {
    const sealed = seal(this.#options.key, order.request, order)
    const options = { jobId: order.request, attempts: 1, removeOnComplete: KEEP, removeOnFail: KEEP }
    await this.#ask(() => this.#queue.add('spawn', { sealed }, options))
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      throw redisFailure(cause, this.#connectionTrouble)
    }
  }
}

function failureOf(reason: string): Failure {
  try {
    return Failure.fromShape(JSON.parse(reason))
  } catch {
    return new Failure('unexpected', reason)
  }
}

/** A rejection that is handled by whoever takes it, and by nobody's fault unhandled until then. */
function rejected(failure: Failure): Promise<never> {
  const promise = Promise.reject(failure)
  promise.catch(() => {})
  return promise
}
