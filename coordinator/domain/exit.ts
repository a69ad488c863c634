import type { EndReason, ExitRecord } from '../contract/worker.ts'
import type { WorkerRecord } from './worker-record.ts'
import type { Said } from './worker-says.ts'

/** What the engine knows of a container that has ended. Times ISO 8601. */
export type Ended = {
  exitCode: number
  oomKilled: boolean
  startedAt: string | null
  endedAt: string
  /** The engine's own error at start, empty when there was none. */
  error: string
}

type Refused = Extract<Said, { said: 'refused' }>
type Final = Extract<Said, { said: 'ended' }>

/**
 * The exit record of a worker: the engine's facts, what the worker said of itself, and what was asked of it.
 * The engine's exit code wins over the worker's words: a command could print those too.
 */
export function exitRecord(
  ended: Ended,
  said: readonly Said[],
  stop: WorkerRecord['stop'],
  log: { name: string; entries: number; bytes: number },
): ExitRecord {
  // A refusal is a worker's first word or none: the command, which speaks after "ready", could print one too.
  const [first] = said
  const refused = first?.said === 'refused' ? first : undefined
  const final = said.findLast((line): line is Final => line.said === 'ended')
  const ranAndTold = final !== undefined && final.exitCode === ended.exitCode
  const reason = endReason(ended, refused, ranAndTold, stop)
  return {
    reason,
    exitCode: reason === 'never-assigned' ? null : ended.exitCode,
    signal: ranAndTold ? final.signal : signalOf(ended.exitCode),
    startedAt: ended.startedAt,
    endedAt: ended.endedAt,
    oomKilled: ended.oomKilled,
    oomKills: final?.oomKills ?? null,
    pidsLimitHits: final?.pidsLimitHits ?? null,
    message: refused?.message ?? (ended.error === '' ? null : ended.error),
    log: log.name,
    // What a worker says first is gone only when the log's beginning is.
    logCut: log.entries > 0 && first?.said !== 'ready' && first?.said !== 'refused',
    logBytes: log.bytes,
  }
}

/** The record of a worker whose end nobody saw: what can be said is only `message`. */
export function unseenEnd(record: WorkerRecord, message: string, now: number): ExitRecord {
  return {
    reason: record.stop?.reason ?? 'failed',
    exitCode: null,
    signal: null,
    startedAt: record.readyAt === null ? null : new Date(record.readyAt).toISOString(),
    endedAt: new Date(now).toISOString(),
    oomKilled: false,
    oomKills: null,
    pidsLimitHits: null,
    message,
    log: null,
    logCut: false,
    logBytes: 0,
  }
}

function endReason(
  ended: Ended,
  refused: Refused | undefined,
  ranAndTold: boolean,
  stop: WorkerRecord['stop'],
): EndReason {
  if (refused !== undefined) return refused.word === 'never-assigned' ? 'never-assigned' : 'failed'
  if (ended.error !== '') return 'failed'
  if (stop !== null) return stop.reason
  if (ended.oomKilled && ended.exitCode === 137) return 'oom'
  // Killed with its supervisor and by nobody here: the engine or the host stopped. A normal end always says so.
  if (!ranAndTold && (ended.exitCode === 137 || ended.exitCode === 255)) return 'engine-stopped'
  return 'exited'
}

const SIGNALS: Record<number, string> = {
  129: 'HUP',
  130: 'INT',
  131: 'QUIT',
  134: 'ABRT',
  137: 'KILL',
  139: 'SEGV',
  143: 'TERM',
}

function signalOf(exitCode: number): string | null {
  return SIGNALS[exitCode] ?? null
}
