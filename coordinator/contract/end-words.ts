import { formatSize, formatTimeLimit } from './units.ts'
import type { EndReason, ExitRecord, Limits } from './worker.ts'

/** How a worker ended, for people: `it ran out of memory (exit code 137, signal KILL)`. Null = nothing is recorded. */
export function howItEnded(exit: ExitRecord | null): string {
  if (exit === null) return 'nothing is recorded of its end'
  const reason = exit.reason === 'exited' && exit.signal !== null ? 'a signal ended the command' : REASON[exit.reason]
  const facts = [
    exit.exitCode === null ? 'its exit code is not known' : `exit code ${exit.exitCode}`,
    ...(exit.signal === null ? [] : [`signal ${exit.signal}`]),
  ]
  return `${reason} (${facts.join(', ')})`
}

const REASON: Record<EndReason, string> = {
  exited: 'the command ended',
  stopped: 'it was stopped',
  oom: 'it ran out of memory',
  timeout: 'its time was over',
  'network-lost': 'its network was lost',
  'never-assigned': 'it never got its assignment',
  'engine-stopped': 'the Docker engine stopped it',
  cancelled: 'it was cancelled',
  failed: 'it failed',
}

/** What a worker may use. `timeout` in milliseconds, null = no limit. */
type Allowed = { limits: Limits; timeout: number | null }
type Used = Pick<ExitRecord, 'reason' | 'oomKilled' | 'oomKills' | 'pidsLimitHits'>

/** A sentence for each limit that an ended worker met: how often, and the option that raises it. */
export function limitsMet({ limits, timeout }: Allowed, exit: Used): string[] {
  return [
    ...(exit.oomKilled || (exit.oomKills ?? 0) > 0 ? [memoryMet(limits.memory, exit.oomKills)] : []),
    ...(exit.pidsLimitHits === null || exit.pidsLimitHits === 0 ? [] : [pidsMet(limits.pids, exit.pidsLimitHits)]),
    ...(exit.reason === 'timeout' && timeout !== null
      ? [`Its time limit was ${formatTimeLimit(timeout)}; raise it with --timeout.`]
      : []),
  ]
}

/** `kills`: null where nobody was left to count, 0 where the engine alone knows of one. */
function memoryMet(limit: number | null, kills: number | null): string {
  const killed = !kills ? 'Processes were' : kills === 1 ? '1 process was' : `${kills} processes were`
  return limit === null
    ? `${killed} killed for want of memory: the host had no more.`
    : `${killed} killed for want of memory (limit ${formatSize(limit)}); raise it with --memory.`
}

function pidsMet(limit: number | null, hits: number): string {
  const refused = `refused ${hits === 1 ? '1 new process' : `${hits} new processes`}`
  return limit === null
    ? `A process limit of the host ${refused}.`
    : `The process limit of ${limit} ${refused}; raise it with --pids-limit.`
}
