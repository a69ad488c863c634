import type { FastifyInstance } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import { EventsQuery } from '../contract/request.ts'
import type { CoordinatorEvent } from '../contract/event.ts'
import type { EventLog } from '../store/event-log.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { sendStream } from './stream.ts'
import { closed } from './workers.ts'

/** Events a slow reader may be behind before it is cut off; it goes on with `after`. */
const MAX_BEHIND = 5_000

/** What happened, a JSON object a line; with `follow`, also what happens from then on. */
export function eventRoutes(server: FastifyInstance, { events }: ControlContext): void {
  server.get(ROUTE.events, async (request, reply) => {
    const query = parseInput(EventsQuery, request.query)
    const signal = closed(request)
    const lines = query.follow ? follow(events, query, signal) : backlog(events, query)
    await sendStream(reply, { 'content-type': 'application/x-ndjson' }, lines)
  })
}

type From = { after?: string | undefined; tail: number }

async function* backlog(events: EventLog, from: From): AsyncGenerator<string> {
  for (const event of await events.read(from)) yield `${JSON.stringify(event)}\n`
}

async function* follow(events: EventLog, from: From, signal: AbortSignal): AsyncGenerator<string> {
  const fresh: CoordinatorEvent[] = []
  let wake = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => wake.resolve())
  const stop = events.listen((event) => {
    fresh.push(event)
    wake.resolve()
  })
  try {
    // Listening began before the backlog was read, so nothing is between the two; what is in both is told once.
    const old = await events.read(from)
    const last = old.at(-1)?.id
    for (const event of old) yield `${JSON.stringify(event)}\n`
    while (!signal.aborted && fresh.length < MAX_BEHIND) {
      const next = fresh.shift()
      if (next !== undefined) {
        if (last === undefined || isAfter(next.id, last)) yield `${JSON.stringify(next)}\n`
        continue
      }
      await wake.promise
      wake = Promise.withResolvers()
    }
  } finally {
    stop()
  }
}

/** Redis stream ids are "milliseconds-sequence". */
function isAfter(id: string, other: string): boolean {
  const [time = 0, sequence = 0] = id.split('-').map(Number)
  const [otherTime = 0, otherSequence = 0] = other.split('-').map(Number)
  return time > otherTime || (time === otherTime && sequence > otherSequence)
}
