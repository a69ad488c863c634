import { Failure } from '../contract/failure.ts'
import { ContainerId } from '../contract/names.ts'
import type { LogPlace, LogsQuery } from '../contract/request.ts'
import type { ExitRecord, Worker } from '../contract/worker.ts'
import type { WorkerRecord } from '../domain/worker-record.ts'
import { type Entry, readLog } from '../state/worker-log.ts'
import type { Context } from './context.ts'
import { withoutSaid } from './finish.ts'
import { Place } from './log-place.ts'

/** `place`: of one that is followed, how far it was read; where the signal ends it, another reader goes on from there. */
export type WorkerLog = { entries: AsyncGenerator<Entry>; place: (() => LogPlace) | undefined }

/**
 * Opens a worker's output, oldest first: from the engine while the container is there, from the kept log once it has ended.
 * A follower goes over from one to the other without losing or repeating an entry; so does who asks in the instant in which
 * the container is removed. Fails with `wrong-state` while there is none, and as the engine does.
 */
export async function workerLogs(
  worker: Worker,
  query: LogsQuery,
  context: Context,
  signal: AbortSignal,
): Promise<WorkerLog> {
  if (worker.id === '') {
    throw new Failure('wrong-state', `Worker "${worker.name}" is ${worker.state} and has no output yet.`, {
      hint: 'coordinator list',
    })
  }
  const { engine, records, home } = context
  const { after } = query
  const place = after === undefined ? Place.beginning(beginning(query, context.now())) : Place.from(after)
  const kept = (end: ExitRecord | null | undefined): WorkerLog => {
    const entries = lastOf(since(end?.log ? readLog(home, end.log) : nothing(), query.since), query.tail)
    return { entries: after === undefined ? entries : place.after(entries), place: undefined }
  }
  const end = records.get(worker.request)?.end
  if (end) return kept(end)
  const from = after === undefined ? query.since : place.since
  const live = await engine.logs(ContainerId.parse(worker.id), {
    follow: query.follow,
    signal: query.follow ? AbortSignal.any([signal, lastWords(worker, context, signal)]) : signal,
    ...(query.tail === undefined ? {} : { tail: query.tail }),
    ...(from === undefined ? {} : { since: from }),
  })
  if (live === undefined) return kept(await endOf(worker, context, signal))
  const said = withoutSaid(live, [])
  const entries = async function* (): AsyncGenerator<Entry> {
    yield* place.of(after === undefined ? said : place.after(said))
    if (!query.follow) return
    // The container has ended, and may be gone before all of it was read: the rest is in the log that is kept.
    const ended = await endedUnless(signal, worker, context)
    if (ended?.end?.log) yield* place.after(readLog(home, ended.end.log))
  }
  return { entries: entries(), place: query.follow ? () => place.toString() : undefined }
}

/** Its record once it has ended; undefined when the signal comes first. */
async function endedUnless(
  signal: AbortSignal,
  worker: Worker,
  { records }: Context,
): Promise<WorkerRecord | undefined> {
  try {
    return await records.ended(worker.request, signal)
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

/** How long the last output of a worker may take to its follower after its end was written. Milliseconds. */
const LAST_WORDS = 5_000

/** Aborts when a follower has had time for all of an ended worker's output: a stream may have died without a word. */
function lastWords(worker: Worker, { records }: Context, signal: AbortSignal): AbortSignal {
  const over = new AbortController()
  records.ended(worker.request, signal).then(
    () => setTimeout(() => over.abort(), LAST_WORDS).unref(),
    () => {}, // The client has gone.
  )
  return over.signal
}

/** How long the end of a container that someone else has removed may take until it is written. Milliseconds. */
const END = 15_000

/** The end of a worker whose container is gone: written before we removed it, soon where someone else did. */
async function endOf(worker: Worker, { records }: Context, signal: AbortSignal): Promise<ExitRecord | null> {
  try {
    return (await records.ended(worker.request, AbortSignal.any([signal, AbortSignal.timeout(END)]))).end
  } catch (cause) {
    throw new Failure('wrong-state', `The container of worker "${worker.name}" is gone, and its end not known yet.`, {
      hint: `coordinator inspect ${worker.name}`,
      cause,
    })
  }
}

/** The time before which a follower wants nothing: where it began, if it wants only the end of what was there then. */
function beginning(query: LogsQuery, now: number): string {
  const from = query.tail === undefined ? query.since : now
  // Without the Z it is before every time in that millisecond: the engine's have nanoseconds.
  return from === undefined ? '' : new Date(from).toISOString().slice(0, -1)
}

async function* since(entries: AsyncIterable<Entry>, from: number | undefined): AsyncGenerator<Entry> {
  for await (const entry of entries) if (from === undefined || Date.parse(entry.at) >= from) yield entry
}

async function* lastOf(entries: AsyncIterable<Entry>, count: number | undefined): AsyncGenerator<Entry> {
  if (count === undefined) {
    yield* entries
    return
  }
  if (count === 0) return
  const ring: Entry[] = []
  let seen = 0
  for await (const entry of entries) {
    ring[seen % count] = entry
    seen += 1
  }
  const start = seen > count ? seen % count : 0
  yield* ring.slice(start)
  yield* ring.slice(0, start)
}

async function* nothing(): AsyncGenerator<Entry> {}

/** What to tell a reader whose log is gone, or has lost its beginning. */
export function cutNotice(worker: Worker, context: Context): string | undefined {
  const end = context.records.get(worker.request)?.end
  if (end?.log === null) return 'No output was kept of this worker.'
  return end?.logCut ? 'The beginning of this log is gone: it grew beyond 50 MB.' : undefined
}
