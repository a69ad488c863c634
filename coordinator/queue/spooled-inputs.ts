import type { Redis } from 'ioredis'
import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { redisFailure, redisMemory } from '../store/redis.ts'
import { sealBytes, unsealBytes } from './sealed.ts'

/** How long an input waits for its request. Seconds. */
const UNCLAIMED = 3600
/** Beyond the request's time to wait: the bound for an input whose request nobody settles any more. Seconds. */
const SLACK = 24 * 3600
/** How much of Redis inputs may fill: the rest is for requests and their answers. */
const SHARE = 0.5
/** A Redis that was killed is back within a second; an acknowledged request does not fail for that. Milliseconds. */
const PATIENCE = 10_000
const STEP = 100

export type SpooledInputsOptions = {
  redis: Pick<Redis, 'set' | 'expire' | 'getBuffer' | 'unlink' | 'info'>
  instance: string
  key: Buffer
  onError: (error: Error) => void
  /** Milliseconds since the epoch. */
  now: () => number
}

/**
 * What commands are to read from their stdin, from its arrival until the worker has it: encrypted, each in a value of its
 * own beside the queue, because it may be large and the queue reads and writes its jobs as a whole.
 */
export class SpooledInputs {
  readonly #options: SpooledInputsOptions
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: SpooledInputsOptions) {
    this.#options = options
  }

  /**
   * Keeps an input for a request that is still to come; a second one for the same request changes nothing.
   * Fails with `queue-full` when there is too much input already, with `not-ready` without Redis.
   */
  async keep(request: RequestId, input: Buffer): Promise<void> {
    const sealed = sealBytes(this.#options.key, contextOf(request), input)
    // One after the other, or many that come at once would all find the same room.
    const turn = this.#turn.then(() => this.#set(request, sealed))
    this.#turn = turn.catch(() => {})
    await turn
  }

  /** Has an order's input wait as long as the order may. Fails with `invalid-value` when it has not come. */
  async claim(order: SpawnOrder): Promise<void> {
    if (order.input === null) return
    const wait = Math.max(0, Math.ceil((order.waitUntil - this.#options.now()) / 1000))
    const there = await ask(() => this.#options.redis.expire(this.#keyOf(order.request), wait + SLACK))
    if (there === 0) throw new Failure('invalid-value', 'The request announces an input that has not come.')
  }

  /** An order's input; null when it has none. Fails with `worker-failed` when it is not there any more. */
  async read(order: SpawnOrder): Promise<Buffer | null> {
    if (order.input === null) return null
    const sealed = await this.#get(order.request)
    if (sealed === null) {
      throw new Failure('worker-failed', `Worker "${order.name}" was not started: the input of its command is gone.`, {
        hint: 'start it again',
      })
    }
    return unsealBytes(this.#options.key, contextOf(order.request), sealed)
  }

  /** Forgets an input. Never fails: its time to live is the bound. */
  drop(request: RequestId): void {
    this.#options.redis.unlink(this.#keyOf(request)).catch(this.#options.onError)
  }

  /** Forgets an order's input as soon as the order has come to its answer, whatever that is. */
  dropOnceSettled(order: SpawnOrder, settled: Promise<unknown>): void {
    if (order.input === null) return
    const drop = (): void => this.drop(order.request)
    settled.then(drop, drop)
  }

  async #set(request: RequestId, sealed: Buffer): Promise<void> {
    const { redis } = this.#options
    const { used, most } = await redisMemory(redis)
    if (most > 0 && used + sealed.length > most * SHARE) throw full()
    await ask(() => redis.set(this.#keyOf(request), sealed, 'EX', UNCLAIMED, 'NX'))
  }

  async #get(request: RequestId): Promise<Buffer | null> {
    const { redis, now } = this.#options
    for (const deadline = now() + PATIENCE; ;) {
      try {
        return await redis.getBuffer(this.#keyOf(request))
      } catch (cause) {
        if (now() >= deadline) throw redisFailure(cause)
      }
      await new Promise((resolve) => setTimeout(resolve, STEP))
    }
  }

  #keyOf(request: RequestId): string {
    return `hal9000:${this.#options.instance}:input:${request}`
  }
}

/** Another than that of the request's order, so that the one cannot be taken for the other. */
function contextOf(request: RequestId): string {
  return `input:${request}`
}

function full(): Failure {
  return new Failure('queue-full', 'There is no room for more input: what is waiting fills its share of Redis.', {
    hint: 'try again later; coordinator list',
  })
}

async function ask<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw redisFailure(cause)
  }
}
