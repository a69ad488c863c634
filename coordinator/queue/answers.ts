import { Failure } from '../contract/failure.ts'
import type { Spawned } from '../contract/worker.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'

/** How many answers are remembered: more than can be on their way to Redis. */
const GIVEN = 256
/** How many requests that were taken back are remembered. */
const TAKEN_BACK = 2000

/** Somebody waits for an answer. `order`: what was acknowledged. */
type Waiting = PromiseWithResolvers<Spawned> & { order?: SpawnOrder }

/**
 * The answers to spawn requests, as far as this process knows them: those that somebody waits for, and the last that were
 * given. A client is answered from here; Redis keeps what outlives this process.
 */
export class Answers {
  readonly #waiting = new Map<string, Waiting>()
  /** Until Redis has the answer, the job looks as if it were still worked on. */
  readonly #given = new Map<string, Promise<Spawned>>()
  /** What was taken back is a job no more: a client that asks again must not begin it anew. */
  readonly #takenBack = new Map<string, Promise<Spawned>>()

  /** The answer, if it was given or the request taken back. */
  known(request: string): Promise<Spawned> | undefined {
    return this.#takenBack.get(request) ?? this.#given.get(request)
  }

  /** The answer, now or when it is given. The same promise for all who wait. */
  of(request: string): Promise<Spawned> {
    return this.known(request) ?? this.#wait(request).promise
  }

  /** From now until it is answered, the order is one of those that may not be lost. */
  owe(order: SpawnOrder): void {
    if (this.known(order.request) === undefined) this.#wait(order.request).order = order
  }

  /** What was acknowledged and has no answer yet. */
  get owed(): SpawnOrder[] {
    return [...this.#waiting.values()].flatMap(({ order }) => order ?? [])
  }

  /** The first answer stands. */
  give(request: string, answer: Spawned | Failure): void {
    if (this.known(request) === undefined) remember(this.#given, request, this.#settle(request, answer), GIVEN)
  }

  /** It was never acknowledged: whoever waits is told so, and the same request may come again. */
  refuse(request: string, failure: Failure): void {
    void this.#settle(request, failure)
  }

  takeBack(request: string, failure: Failure): void {
    remember(this.#takenBack, request, this.#settle(request, failure), TAKEN_BACK)
  }

  #wait(request: string): Waiting {
    const waiting = this.#waiting.get(request) ?? Promise.withResolvers<Spawned>()
    this.#waiting.set(request, waiting)
    return waiting
  }

  #settle(request: string, answer: Spawned | Failure): Promise<Spawned> {
    const { promise, resolve, reject } = this.#wait(request)
    this.#waiting.delete(request)
    promise.catch(() => {}) // Nobody may wait any more.
    if (answer instanceof Failure) reject(answer)
    else resolve(answer)
    return promise
  }
}

/** Adds it, and forgets the oldest of more than `count`. */
function remember<T>(map: Map<string, T>, key: string, value: T, count: number): void {
  map.set(key, value)
  for (const oldest of [...map.keys()].slice(0, -count)) map.delete(oldest)
}
