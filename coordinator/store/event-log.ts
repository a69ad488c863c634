import type { Redis } from 'ioredis'
import { CoordinatorEvent } from '../contract/event.ts'

export type NewEvent = Omit<CoordinatorEvent, 'id' | 'at'>

/** How many events are kept. */
const KEEP = 10_000
/** Events held in memory while Redis is away. */
const MAX_UNSTORED = 1_000

/**
 * What happened, as a Redis stream: ordered by the id that Redis gives, which is also where a reader goes on.
 * Events that Redis cannot take at once are kept in order and stored when it is back.
 */
export class EventLog {
  readonly #redis: Redis
  readonly #key: string
  readonly #listeners = new Set<(event: CoordinatorEvent) => void>()
  #unstored: Omit<CoordinatorEvent, 'id'>[] = []
  #storing: Promise<void> | undefined

  constructor(redis: Redis, instance: string) {
    this.#redis = redis
    this.#redis.on('ready', () => this.#store())
    this.#key = `hal9000:${instance}:events`
  }

  /** Notes what happened; never fails and never waits. */
  add(event: NewEvent, now: Date = new Date()): void {
    this.#unstored.push({ at: now.toISOString(), ...event })
    if (this.#unstored.length > MAX_UNSTORED) this.#unstored.shift()
    this.#store()
  }

  /** The last `tail` events, or those after an id. Oldest first. */
  async read(options: { after?: string | undefined; tail: number }): Promise<CoordinatorEvent[]> {
    // Redis answers COUNT 0 with nothing, not with an empty list.
    if (options.after === undefined && options.tail === 0) return []
    const rows =
      options.after === undefined
        ? (await this.#redis.xrevrange(this.#key, '+', '-', 'COUNT', options.tail)).toReversed()
        : await this.#redis.xrange(this.#key, `(${options.after}`, '+')
    return rows.map(([id, fields]) => CoordinatorEvent.parse({ id, ...JSON.parse(fields[1] ?? '{}') }))
  }

  /** Calls the listener with each event that is stored from now on, until the returned function is called. */
  listen(listener: (event: CoordinatorEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns when all that could be stored is. */
  async flush(): Promise<void> {
    await this.#storing
  }

  #store(): void {
    this.#storing ??= this.#storeAll().finally(() => {
      this.#storing = undefined
    })
  }

  async #storeAll(): Promise<void> {
    while (this.#unstored.length > 0 && this.#redis.status === 'ready') {
      const [event] = this.#unstored
      if (event === undefined) return
      try {
        const id = await this.#redis.xadd(this.#key, 'MAXLEN', '~', KEEP, '*', 'event', JSON.stringify(event))
        this.#unstored = this.#unstored.filter((other) => other !== event)
        if (id !== null) for (const listener of this.#listeners) listener({ id, ...event })
      } catch {
        return // The connection is lost; "ready" brings us back.
      }
    }
  }
}
