import type { Redis } from 'ioredis'
import { CoordinatorEvent, type NewEvent } from '../contract/event.ts'
import type { Fence } from './fence.ts'
import { redisFailure } from './redis.ts'

/** How many events are kept. */
const KEEP = 10_000
/** Events held in memory while Redis is away. */
const MAX_UNSTORED = 1_000
/** How soon a store that failed is tried again. Milliseconds. */
const RETRY = 1_000
/** Before every id that Redis gives. */
const BEGINNING = '0-0'

/** An event as it is stored: its id is the stream's. */
type Stored = Omit<CoordinatorEvent, 'id'>

/** Events in the order of their ids, and the id after which a reader goes on. */
export type Events = { events: CoordinatorEvent[]; last: string }

const APPEND = `return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[2])`

/**
 * What happened, as a Redis stream: ordered by the id that Redis gives, which is also where a reader goes on.
 * Events that Redis cannot take at once are kept in order and stored when it is back, each once.
 */
export class EventLog {
  readonly #redis: Redis
  readonly #key: string
  readonly #script: string
  readonly #listeners = new Set<(event: CoordinatorEvent) => void>()
  /** What a coordinator before this one owes, given what is kept; undefined once it is paid. */
  #owed: ((kept: readonly CoordinatorEvent[]) => NewEvent[]) | undefined
  #unstored: Stored[] = []
  #storing: Promise<void> | undefined
  /** The last id that is known, and whether what came after it may be our next event, stored unknown to us. */
  #last = BEGINNING
  #unsure = false

  /** `owed`: events to be stored before all others, as soon as Redis is there. */
  constructor(
    redis: Redis,
    instance: string,
    fence: Fence,
    owed: (kept: readonly CoordinatorEvent[]) => NewEvent[] = () => [],
  ) {
    this.#redis = redis
    this.#owed = owed
    this.#redis.on('ready', () => this.#store())
    this.#key = `hal9000:${instance}:events`
    this.#script = fence.prelude + APPEND
  }

  /** Notes what happened; never fails and never waits. */
  add(event: NewEvent, now: Date = new Date()): void {
    this.#unstored.push(stored(event, now))
    if (this.#unstored.length > MAX_UNSTORED) this.#unstored.shift()
    this.#store()
  }

  /** The last `tail` events, or those after an id. Oldest first. Fails with `not-ready` without Redis. */
  async read({ after, tail }: { after?: string | undefined; tail: number }): Promise<Events> {
    if (after !== undefined) {
      const events = await this.#range(`(${after}`)
      return { events, last: events.at(-1)?.id ?? after }
    }
    const read = this.#redis.xrevrange(this.#key, '+', '-', 'COUNT', Math.max(tail, 1)).catch(fail)
    const events = understood((await read).toReversed())
    return { events: tail === 0 ? [] : events, last: events.at(-1)?.id ?? BEGINNING }
  }

  /** Calls the listener with each event that is stored from now on, until the returned function is called. */
  listen(listener: (event: CoordinatorEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Stores what waits to be stored; returns when all that could be is. */
  async flush(): Promise<void> {
    this.#store()
    await this.#storing
  }

  #store(): void {
    this.#storing ??= this.#storeAll().finally(() => {
      this.#storing = undefined
    })
  }

  async #storeAll(): Promise<void> {
    while (this.#redis.status === 'ready') {
      try {
        await this.#settle()
        const [event] = this.#unstored
        if (event === undefined) return
        const id = (this.#unsure ? await this.#find(event) : undefined) ?? (await this.#append(event))
        this.#unsure = false
        this.#last = id
        this.#unstored = this.#unstored.filter((other) => other !== event)
        for (const listener of this.#listeners) listener({ id, ...event })
      } catch {
        // Redis may have done what it could not answer any more. "ready" brings us back, or the timer if it is there.
        this.#unsure = true
        setTimeout(() => this.#store(), RETRY).unref()
        return
      }
    }
  }

  /** Puts what is owed before what has been noted since the start. */
  async #settle(): Promise<void> {
    if (this.#owed === undefined) return
    const kept = await this.#range('-')
    const owed = this.#owed(kept).map((event) => stored(event, new Date()))
    this.#owed = undefined
    this.#last = kept.at(-1)?.id ?? BEGINNING
    this.#unstored = [...owed, ...this.#unstored]
  }

  async #append(event: Stored): Promise<string> {
    return String(await this.#redis.eval(this.#script, 1, this.#key, KEEP, JSON.stringify(event)))
  }

  async #find(event: Stored): Promise<string | undefined> {
    const text = JSON.stringify(event)
    const rows = await this.#redis.xrange(this.#key, `(${this.#last}`, '+')
    return rows.find(([, fields]) => fields[1] === text)?.[0]
  }

  async #range(from: string): Promise<CoordinatorEvent[]> {
    return understood(await this.#redis.xrange(this.#key, from, '+').catch(fail))
  }
}

function stored(event: NewEvent, now: Date): Stored {
  return { at: now.toISOString(), ...event, exit: event.exit ?? null }
}

/** What a newer version than this one has stored is left out. */
function understood(rows: readonly [id: string, fields: string[]][]): CoordinatorEvent[] {
  return rows.flatMap(([id, fields]) => {
    const parsed = CoordinatorEvent.safeParse({ id, ...JSON.parse(fields[1] ?? '{}') })
    return parsed.success ? [parsed.data] : []
  })
}

function fail(cause: unknown): never {
  throw redisFailure(cause)
}
