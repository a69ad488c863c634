import { orAborted } from '../domain/or-aborted.ts'

type Flight<T> = { outcome: Promise<T>; giveUp: AbortController; waiting: number }

/** Work that many may wait for is done once. Each may leave on its own; it is given up when the last one has left. */
export class SingleFlight<K, T> {
  readonly #flights = new Map<K, Flight<T>>()

  /**
   * What the work on `key` comes to, or the reason of `signal`, which leaves it. `begin` is called where nobody is at it; its
   * signal says that nobody waits any more, and whether that ends it is its own affair: it is over when it has settled.
   */
  async join(key: K, signal: AbortSignal, begin: (abandoned: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      const flight = this.#flights.get(key) ?? this.#start(key, begin)
      if (!flight.giveUp.signal.aborted) return await this.#wait(flight, signal)
      // Not two at once: one that is being given up comes to its end first, and may still have come to something.
      const late = await orAborted(settledOf(flight.outcome), signal)
      if (late.status === 'fulfilled') return late.value
    }
  }

  #start(key: K, begin: (abandoned: AbortSignal) => Promise<T>): Flight<T> {
    const giveUp = new AbortController()
    const outcome = begin(giveUp.signal).finally(() => this.#flights.delete(key))
    outcome.catch(() => {}) // Those who waited for it may all have left.
    const flight = { outcome, giveUp, waiting: 0 }
    this.#flights.set(key, flight)
    return flight
  }

  async #wait(flight: Flight<T>, signal: AbortSignal): Promise<T> {
    flight.waiting += 1
    try {
      return await orAborted(flight.outcome, signal)
    } finally {
      flight.waiting -= 1
      if (flight.waiting === 0) flight.giveUp.abort(signal.reason)
    }
  }
}

async function settledOf<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([work])
  return result
}
