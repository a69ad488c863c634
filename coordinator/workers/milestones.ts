import type { ExitRecord } from '../contract/worker.ts'
import { endedEvent, readyEvent } from '../domain/worker-events.ts'
import type { WorkerRecord } from '../domain/worker-record.ts'
import type { Context } from './context.ts'

/*
 * The two moments of a worker that its record and the event log both know: ready and ended. Each is written first and told
 * after, here and nowhere else, so that what is told is on disk, and a coordinator that dies in between finds what it owes
 * (domain/worker-events.ts). Each happens once, whoever comes first.
 */

/** Writes that the worker's command runs since `readyAt`, from when its time limit counts, and tells it. */
export async function putReady(
  record: WorkerRecord,
  readyAt: number,
  message: string,
  { records, note }: Context,
): Promise<WorkerRecord> {
  // What has been written since the caller read it stays: an end, a stop that was asked for.
  const known = records.get(record.request) ?? record
  if (known.readyAt !== null) return known
  const ready = { ...known, readyAt, deadline: known.timeout === null ? null : readyAt + known.timeout }
  await records.put(ready)
  note(readyEvent(ready, message))
  return ready
}

/** Writes the worker's end, and tells it. */
export async function putEnd(
  record: WorkerRecord,
  end: ExitRecord,
  { records, note, now }: Context,
): Promise<WorkerRecord> {
  const known = records.get(record.request) ?? record
  if (known.end !== null) return known
  const ended = { ...known, end, endWrittenAt: now() }
  await records.put(ended)
  note(endedEvent(ended))
  return ended
}
