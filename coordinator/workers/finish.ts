import { exitRecord, type KeptLog, unseenEnd } from '../domain/exit.ts'
import type { WorkerContainer } from '../domain/container.ts'
import { newRecord, type WorkerRecord } from '../domain/worker-record.ts'
import { type Said, separate } from '../domain/worker-says.ts'
import type { LogEntry } from '../docker/engine.ts'
import { logName, writeLog } from '../state/worker-log.ts'
import type { Context } from './context.ts'
import { putEnd, putReady } from './milestones.ts'

/**
 * Records the end of a worker whose container has ended, then removes the container unless it is kept: in this order, so
 * that exit code, reason and output are never lost. Can be repeated at any point. Returns the record; undefined while the
 * container still runs.
 */
export async function finish(container: WorkerContainer, context: Context): Promise<WorkerRecord | undefined> {
  const ended = await recordEnd(container, context)
  if (ended !== undefined && container.spec.remove) await context.engine.remove(container.id)
  return ended
}

/** Writes log and exit record of an ended worker, once: whoever comes while that is done gets the same record. */
export function recordEnd(container: WorkerContainer, context: Context): Promise<WorkerRecord | undefined> {
  const { recording, records } = context
  // First: a record has its end before that is on disk.
  const under = recording.get(container.id)
  if (under !== undefined) return under
  const record = records.get(container.request)
  if (record?.end) return Promise.resolve(record)
  // Of one that nobody knew, its log will tell whether it was ever ready.
  const work = writeEnd(container, record ?? { ...adopted(container), readyAt: null }, context).finally(() =>
    recording.delete(container.id),
  )
  recording.set(container.id, work)
  return work
}

async function writeEnd(
  container: WorkerContainer,
  record: WorkerRecord,
  context: Context,
): Promise<WorkerRecord | undefined> {
  const { engine, records, home } = context
  const facts = await engine.ended(container.id)
  if (facts === undefined) return undefined
  const said: Said[] = []
  const log = await keepLog(record, await engine.logs(container.id, { follow: false }), said, home)
  if (record.readyAt === null && said[0]?.said === 'ready') {
    await putReady(record, Date.parse(facts.startedAt ?? facts.endedAt), 'found when it had ended', context)
  }
  // Read again: a stop may have been asked for while the log was written.
  const known = records.get(record.request) ?? record
  return await putEnd(known, exitRecord(facts, said, known, log), context)
}

/** Writes the output to the log that is kept; null where Docker has half removed it: the end is recorded without. */
async function keepLog(
  { name: worker, request }: WorkerRecord,
  output: AsyncIterable<LogEntry> | undefined,
  said: Said[],
  home: string,
): Promise<KeptLog | null> {
  if (output === undefined) return null
  const name = logName(worker, request)
  let entries = 0
  const own = async function* (): AsyncGenerator<LogEntry> {
    for await (const entry of withoutSaid(output, said)) {
      entries += 1
      yield entry
    }
  }
  const bytes = await writeLog(home, name, own())
  return { name, entries, bytes }
}

/** Removes a container that was created and never started: that its command never ran is recorded first. */
export async function discard(container: WorkerContainer, message: string, context: Context): Promise<void> {
  const record = context.records.get(container.request)
  if (record !== undefined) await putEnd(record, unseenEnd(record, message, context.now()), context)
  await context.engine.remove(container.id)
}

/** The command's own output: what the worker says of itself is taken out, and collected in `said`. */
export async function* withoutSaid(entries: AsyncIterable<LogEntry>, said: Said[]): AsyncGenerator<LogEntry> {
  for await (const entry of entries) {
    if (entry.output === 'stdout') {
      yield entry
      continue
    }
    const { rest, said: here } = separate(entry.data)
    said.push(...here)
    if (rest.length > 0) yield { ...entry, data: rest }
  }
}

/** A record for a worker that is there without one: what its labels tell. */
export function adopted(container: WorkerContainer): WorkerRecord {
  return {
    ...newRecord({
      request: container.request,
      name: container.worker,
      project: container.project,
      image: container.image,
      command: [],
      io: container.spec.io,
      limits: container.spec.limits,
      remove: container.spec.remove,
      onNetworkLoss: container.spec.onNetworkLoss,
      uid: null,
      gid: null,
      createdAt: container.createdAt,
      timeout: null,
    }),
    container: container.id,
    readyAt: container.createdAt,
  }
}
