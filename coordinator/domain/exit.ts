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

/** A worker's log as it is kept: its file's name, its entries, its size in bytes. */
export type KeptLog = { name: string; entries: number; bytes: number }

type Refused = Extract<Said, { said: 'refused' }>
type Final = Extract<Said, { said: 'ended' }>
/** What was asked of the worker, and what befell it. */
type Story = Pick<WorkerRecord, 'stop' | 'networkLostAt'>

/**
 * The exit record of a worker: the engine's facts, what the worker said of itself, and what was asked of it.
 * The engine's exit code wins over the worker's words: a command could print those too. `log` is null where the engine
 * has lost the output.
 */
export function exitRecord(ended: Ended, said: readonly Said[], story: Story, log: KeptLog | null): ExitRecord {
  // A refusal is a worker's first word or none: the command, which speaks after "ready", could print one too.
  const [first] = said
  const refused = first?.said === 'refused' ? first : undefined
  const last = said.findLast((line): line is Final => line.said === 'ended')
  const told = last?.exitCode === ended.exitCode ? last : undefined
  // The engine learns of it by an event, which may come after the end; the kernel's own count is there in time.
  const oomKilled = ended.oomKilled || (told?.oomKills ?? 0) > 0
  const known = endReason({ ...ended, oomKilled }, refused, told, story.stop)
  // Its last word is lost with the output: whether it was killed from outside cannot be told.
  const reason = log === null && known === 'engine-stopped' ? 'failed' : known
  const none = reason === 'never-assigned' || (told === undefined && isPlaceholder(ended))
  return {
    reason,
    exitCode: none ? null : ended.exitCode,
    signal: told === undefined ? signalOf(ended.exitCode) : told.signal,
    startedAt: ended.startedAt,
    endedAt: ended.endedAt,
    oomKilled,
    oomKills: told?.oomKills ?? null,
    pidsLimitHits: told?.pidsLimitHits ?? null,
    message: refused?.message ?? (log === null ? LOST_OUTPUT : explanation(reason, ended, told, story)),
    log: log?.name ?? null,
    // What a worker says first is gone only when the log's beginning is.
    logCut: log !== null && log.entries > 0 && first?.said !== 'ready' && first?.said !== 'refused',
    logBytes: log?.bytes ?? 0,
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
  told: Final | undefined,
  stop: WorkerRecord['stop'],
): EndReason {
  if (refused !== undefined) return refused.word === 'never-assigned' ? 'never-assigned' : 'failed'
  if (ended.error !== '') return 'failed'
  // A command may end by itself while the word to stop is on its way to it. What was undone has failed either way.
  const endedFirst = told?.stoppedBy === null && stop?.reason !== 'failed'
  if (stop !== null && !endedFirst) return stop.reason
  if (told === undefined) {
    if (ended.exitCode === 137) return ended.oomKilled ? 'oom' : 'engine-stopped'
    if (ended.exitCode === LOST_BY_ENGINE) return 'engine-stopped'
    return ended.exitCode === SUPERVISOR_FAILED ? 'failed' : 'exited'
  }
  // A shell whose child was killed goes on, or passes 137 on as a code of its own: then it was not the command itself.
  if (ended.oomKilled && told.signal === 'KILL') return 'oom'
  return told.stoppedBy === null ? 'exited' : 'engine-stopped'
}

const LOST_OUTPUT = 'Its output could not be read any more.'

/** What the engine gives a container that was gone when it came back itself. */
const LOST_BY_ENGINE = 255
/** What worker/entrypoint leaves with when it cannot learn how its command ended. */
const SUPERVISOR_FAILED = 125

function isPlaceholder({ exitCode }: Ended): boolean {
  return exitCode === LOST_BY_ENGINE || exitCode === SUPERVISOR_FAILED
}

/** What there is to say beside the reason; null when that says it all. */
function explanation(reason: EndReason, { error }: Ended, told: Final | undefined, story: Story): string | null {
  if (error !== '') return error
  const untold = told === undefined && story.stop === null ? UNTOLD[reason] : undefined
  if (untold !== undefined) return untold
  if (story.networkLostAt === null || reason === 'network-lost') return null
  return `It had lost its network at ${new Date(story.networkLostAt).toISOString()}.`
}

/** Of a worker that ended without its last word, and without being asked to. */
const UNTOLD: Partial<Record<EndReason, string>> = {
  oom: 'What watches over the command was killed, and the command with it.',
  'engine-stopped': 'All its processes were killed at once, from outside.',
  failed: 'What watches over the command failed; its last line of output says why.',
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
