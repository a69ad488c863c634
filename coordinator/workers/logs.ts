import { Failure } from '../contract/failure.ts'
import { ContainerId } from '../contract/names.ts'
import type { LogsQuery } from '../contract/request.ts'
import type { Worker } from '../contract/worker.ts'
import type { LogEntry } from '../docker/engine.ts'
import { type Entry, readLog } from '../state/worker-log.ts'
import type { Context } from './context.ts'
import { withoutSaid } from './finish.ts'

/**
 * A worker's output, oldest first: from the engine while the container is there, from the kept log once it has ended.
 * A follower goes over from one to the other without losing or repeating an entry.
 */
export function workerLogs(
  worker: Worker,
  query: LogsQuery,
  context: Context,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  if (worker.id === '') {
    throw new Failure('wrong-state', `Worker "${worker.name}" is ${worker.state} and has no output yet.`, {
      hint: 'coordinator list',
    })
  }
  return entriesOf(worker, query, context, signal)
}

async function* entriesOf(
  worker: Worker,
  query: LogsQuery,
  context: Context,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  const end = context.records.get(worker.request)?.end
  if (end) {
    yield* end.log === null ? [] : lastOf(since(readLog(context.home, end.log), query.since), query.tail)
    return
  }
  const place = new Place(beginning(query, context.now()))
  yield* place.of(withoutSaid(live(worker, query, context, signal), []))
  if (!query.follow || signal.aborted) return
  // The container has ended, and may be gone before all of it was read: the rest is in the log that is kept.
  const ended = await context.records.ended(worker.request, signal)
  if (ended.end?.log) yield* place.after(readLog(context.home, ended.end.log))
}

async function* live(
  worker: Worker,
  query: LogsQuery,
  context: Context,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  const options = {
    follow: query.follow,
    signal,
    ...(query.tail === undefined ? {} : { tail: query.tail }),
    ...(query.since === undefined ? {} : { since: query.since }),
  }
  try {
    yield* context.engine.logs(ContainerId.parse(worker.id), options)
  } catch (error) {
    // Removed while it was read: the kept log has it all.
    if (!(error instanceof Error && 'statusCode' in error && (error.statusCode === 404 || error.statusCode === 409)))
      throw error
  }
}

/**
 * Where a reader is in a log: parts of one line share their time, so they are counted. Of each output on its own, because
 * the engine takes the times of the two before it puts them in a row.
 */
class Place {
  readonly #read: Record<Entry['output'], { at: string; count: number }>

  /** `from`: nothing before that time is wanted. */
  constructor(from: string) {
    this.#read = { stdout: { at: from, count: 0 }, stderr: { at: from, count: 0 } }
  }

  async *of(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
    for await (const entry of entries) {
      const read = this.#read[entry.output]
      read.count = entry.at === read.at ? read.count + 1 : 1
      read.at = entry.at
      yield entry
    }
  }

  async *after(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
    const same = { stdout: 0, stderr: 0 }
    for await (const entry of entries) {
      const read = this.#read[entry.output]
      if (entry.at < read.at) continue
      if (entry.at === read.at) {
        same[entry.output] += 1
        if (same[entry.output] <= read.count) continue
      }
      yield entry
    }
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

/** What to tell a reader whose log has lost its beginning. */
export function cutNotice(worker: Worker, context: Context): string | undefined {
  return context.records.get(worker.request)?.end?.logCut
    ? 'The beginning of this log is gone: it grew beyond 50 MB.'
    : undefined
}
