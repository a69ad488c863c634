import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../contract/failure.ts'
import { WorkerRecord } from '../domain/worker-record.ts'
import { writeAtomically } from './atomic-file.ts'
import { diskTrouble } from './disk-trouble.ts'

/** How many ended workers are remembered, for how long (milliseconds), and how much of their output in all (bytes). */
export type Retention = { count: number; age: number; logBytes: number }

/**
 * The records of all workers, below `sessions/`: read once, kept in memory, written through.
 * Unreadable files are set aside by name (`problems`), never removed.
 */
export type Records = {
  all(): WorkerRecord[]
  get(request: string): WorkerRecord | undefined
  /**
   * Stores the record; returns when it is on disk. Writes of one record happen in order; one that fails leaves it as it was.
   * Fails with `not-ready` where the disk takes nothing.
   */
  put(record: WorkerRecord): Promise<void>
  /** Forgets one; returns when its file is gone. */
  forget(request: string): Promise<void>
  /**
   * Forgets ended workers beyond what is kept, but none whose container is `present`, and none so young that whoever waits
   * for its end may still ask. Gives the names of their logs.
   */
  prune(retention: Retention, now: number, present?: ReadonlySet<string>): Promise<string[]>
  /** Settles when the record has an end: at once if it has one, never if it is not known. */
  ended(request: string, signal?: AbortSignal): Promise<WorkerRecord>
  readonly problems: readonly string[]
}

/** Longer than a command that was cut off goes on asking. Milliseconds. */
const YOUNG = 15_000

export async function openRecords(directory: string): Promise<Records> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const problems: string[] = []
  const records = new Map<string, WorkerRecord>()
  for (const file of await readdir(directory)) {
    if (!file.endsWith('.json')) continue
    const record = await readRecord(join(directory, file))
    if (record) records.set(record.request, record)
    else problems.push(`${file} is not a worker's record`)
  }
  const writes = new Map<string, Promise<void>>()
  const waiting = new Map<string, Set<(record: WorkerRecord) => void>>()
  const pathOf = (request: string): string => join(directory, `${request}.json`)

  const put = async (record: WorkerRecord): Promise<void> => {
    const previous = records.get(record.request)
    records.set(record.request, record)
    const before = writes.get(record.request) ?? Promise.resolve()
    const write = before
      .catch(() => {})
      .then(() => writeAtomically(pathOf(record.request), `${JSON.stringify(record)}\n`))
    writes.set(record.request, write)
    try {
      await write
    } catch (error) {
      // An end that could not be written has not come: its container must stay until it can.
      if (records.get(record.request) === record) {
        if (previous === undefined) records.delete(record.request)
        else records.set(record.request, previous)
      }
      throw new Failure('not-ready', diskTrouble(directory, error), {
        hint: 'make room or mend it; coordinator status',
        cause: error,
      })
    } finally {
      if (writes.get(record.request) === write) writes.delete(record.request)
    }
    if (record.end === null) return
    for (const resolve of waiting.get(record.request) ?? []) resolve(record)
    waiting.delete(record.request)
  }

  const forget = async (request: string): Promise<void> => {
    records.delete(request)
    await writes.get(request)?.catch(() => {})
    await rm(pathOf(request), { force: true })
  }

  return {
    problems,
    all: () => [...records.values()],
    get: (request) => records.get(request),
    put,
    forget,
    async prune(retention, now, present = new Set()) {
      const ended = [...records.values()]
        .filter((record) => record.end !== null)
        .sort((a, b) => endTime(b) - endTime(a))
      let bytes = 0
      const gone = ended.filter((record, index) => {
        bytes += record.end?.logBytes ?? 0
        const age = now - endTime(record)
        const beyond = index >= retention.count || age > retention.age || bytes > retention.logBytes
        return beyond && age > YOUNG && !present.has(record.request)
      })
      for (const record of gone) await forget(record.request)
      return gone.flatMap((record) => (record.end?.log ? [record.end.log] : []))
    },
    ended(request, signal) {
      const record = records.get(request)
      if (record?.end) return Promise.resolve(record)
      return new Promise((resolve, reject) => {
        const waiters = waiting.get(request) ?? new Set()
        waiting.set(request, waiters.add(resolve))
        const abort = (): void => {
          waiters.delete(resolve)
          reject(signal?.reason)
        }
        if (signal?.aborted) abort()
        else signal?.addEventListener('abort', abort, { once: true })
      })
    },
  }
}

async function readRecord(path: string): Promise<WorkerRecord | undefined> {
  try {
    return WorkerRecord.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** When its end was known; of an old record, when it came. */
function endTime(record: WorkerRecord): number {
  return record.endWrittenAt ?? (Date.parse(record.end?.endedAt ?? '') || record.createdAt)
}
