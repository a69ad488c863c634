import type { FastifyInstance } from 'fastify'
import { AFTER_HEADER, ROUTE } from '../contract/control.ts'
import { EventsQuery } from '../contract/request.ts'
import type { CoordinatorEvent } from '../contract/event.ts'
import type { EventLog, Events } from '../store/event-log.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { sendStream } from './stream.ts'
import { closed } from './workers.ts'

/** Events a slow reader may be behind before it is cut off; it goes on with `after`. */
const MAX_BEHIND = 5_000

/**
 * What happened, a JSON object a line; with `follow`, also what happens from then on. Who is cut off goes on with `after`: the
 * id of the last event, or the header's if there was none.
 */
export function eventRoutes(server: FastifyInstance, { events, leaving }: ControlContext): void {
  server.get(ROUTE.events, async (request, reply) => {
    const query = parseInput(EventsQuery, request.query)
    const signal = AbortSignal.any([closed(request), leaving.signal])
    // Listened for before the backlog is read, so that nothing is between the two.
    const fresh = query.follow ? new Fresh(events, signal) : undefined
    const backlog = await events.read(query)
    const headers = {
      'content-type': 'application/x-ndjson',
      ...(backlog.events.length > 0 ? {} : { [AFTER_HEADER]: backlog.last }),
    }
    // Where to go on its reader knows.
    await sendStream(reply, headers, lines(backlog, fresh), fresh && { leaving: leaving.signal, place: () => '' })
  })
}

async function* lines(backlog: Events, fresh: Fresh | undefined): AsyncGenerator<string> {
  for (const event of backlog.events) yield `${JSON.stringify(event)}\n`
  if (fresh === undefined) return
  for await (const event of fresh.events()) {
    // What is in both is told once.
    if (isAfter(event.id, backlog.last)) yield `${JSON.stringify(event)}\n`
  }
}

/** The events that are stored from now on, until the client has gone. */
class Fresh {
  readonly #waiting: CoordinatorEvent[] = []
  readonly #signal: AbortSignal
  #wake = Promise.withResolvers<void>()

  constructor(log: EventLog, signal: AbortSignal) {
    this.#signal = signal
    const stop = log.listen((event) => {
      this.#waiting.push(event)
      this.#wake.resolve()
      if (this.#waiting.length >= MAX_BEHIND) stop()
    })
    const leave = (): void => {
      stop()
      this.#wake.resolve()
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
  }

  /** Ends with the signal, and when the reader is too far behind. */
  async *events(): AsyncGenerator<CoordinatorEvent> {
    while (!this.#signal.aborted && this.#waiting.length < MAX_BEHIND) {
      const next = this.#waiting.shift()
      if (next !== undefined) {
        yield next
        continue
      }
      await this.#wake.promise
      this.#wake = Promise.withResolvers()
    }
  }
}

/** Redis stream ids are "milliseconds-sequence". */
function isAfter(id: string, other: string): boolean {
  const [time = 0, sequence = 0] = id.split('-').map(Number)
  const [otherTime = 0, otherSequence = 0] = other.split('-').map(Number)
  return time > otherTime || (time === otherTime && sequence > otherSequence)
}
