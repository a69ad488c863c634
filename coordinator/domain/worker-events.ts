import { howItEnded, limitsMet } from '../contract/end-words.ts'
import type { CoordinatorEvent, NewEvent } from '../contract/event.ts'
import type { ExitRecord } from '../contract/worker.ts'
import type { WorkerRecord } from './worker-record.ts'

/** A record that has its end. */
export type EndedRecord = WorkerRecord & { end: ExitRecord }

export function readyEvent(record: WorkerRecord, message: string): NewEvent {
  return { kind: 'worker-ready', ...subject(record), message }
}

/** Says what `wait` and `inspect` say. */
export function endedEvent(record: EndedRecord): NewEvent {
  const { reason, exitCode, signal, oomKills, pidsLimitHits, message } = record.end
  const sentences = [howItEnded(record.end), ...(message === null ? [] : [message]), ...limitsMet(record, record.end)]
  return {
    kind: 'worker-ended',
    ...subject(record),
    message: sentences.map((sentence) => sentence.replace(/\.$/, '')).join('. '),
    exit: { reason, exitCode, signal, oomKills, pidsLimitHits },
  }
}

/** What a kept event is known by. */
export type KeptEvent = Pick<CoordinatorEvent, 'id' | 'kind' | 'request'>

/**
 * What `records` know and the log of events (`kept`, oldest first) does not: a coordinator that dies between the two writes
 * the one and not the other. Only what came after the oldest event that is kept can be missing; of what was before, the log
 * has been trimmed, or began anew, and telling it now would be telling it again. In the order in which it happened.
 */
export function untold(records: readonly WorkerRecord[], kept: readonly KeptEvent[]): NewEvent[] {
  const [oldest] = kept
  if (oldest === undefined) return []
  const since = Number(oldest.id.split('-')[0])
  const told = new Set(kept.map(({ kind, request }) => `${kind} ${request}`))
  const missing = records.flatMap((record) => [
    ...(record.readyAt === null ? [] : [{ at: record.readyAt, event: readyEvent(record, 'ready') }]),
    ...(isEnded(record) ? [{ at: writtenAt(record), event: endedEvent(record) }] : []),
  ])
  return missing
    .filter(({ at, event }) => at > since && !told.has(`${event.kind} ${event.request}`))
    .sort((a, b) => a.at - b.at)
    .map(({ at, event }) => ({ ...event, at: new Date(at).toISOString() }))
}

function isEnded(record: WorkerRecord): record is EndedRecord {
  return record.end !== null
}

/** When its end was written, so when it would have been told; long after the end itself where nobody looked. */
function writtenAt(record: EndedRecord): number {
  return record.endWrittenAt ?? Date.parse(record.end.endedAt)
}

function subject({ name, project, request }: WorkerRecord): Pick<NewEvent, 'worker' | 'project' | 'request'> {
  return { worker: name, project, request }
}
