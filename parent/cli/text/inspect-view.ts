import { limitsMet } from '../../../coordinator/contract/end-words.ts'
import { formatTimeLimit } from '../../../coordinator/contract/units.ts'
import type { Condition, ExitRecord, Worker, WorkerDetail } from '../../../coordinator/contract/worker.ts'
import { commandText, printable } from './printable.ts'
import { fields } from './fields.ts'
import { limitsText, stateText } from './worker-view.ts'

/** Everything about one worker, a field a line. */
export function inspectView({ worker, exit }: WorkerDetail): string {
  return fields([
    ['name', printable(worker.name)],
    ['state', stateText(worker)],
    ['project', printable(worker.project)],
    ['command', commandText(worker.command)],
    ['image', printable(worker.image)],
    ['container', worker.id || 'none yet'],
    ['request', printable(worker.request)],
    ['io', worker.io],
    ...worker.conditions.map((condition) => ['condition', CONDITION[condition]] as const),
    ['limits', `${limitsText(worker.limits)} (memory/cores/processes)`],
    ['timeout', worker.timeout === null ? 'none' : formatTimeLimit(worker.timeout)],
    ['on network loss', worker.onNetworkLoss],
    ['attached', String(worker.attached)],
    ['created', worker.createdAt],
    ['started', worker.startedAt ?? 'not yet'],
    ...(exit === null
      ? []
      : ([
          ['ended', exit.endedAt],
          ['reason', exit.reason],
          ['exit code', exit.exitCode === null ? 'not known' : String(exit.exitCode)],
          ['signal', exit.signal ?? 'none'],
          ...limitLines(worker, exit),
          ['message', printable(exit.message ?? 'none')],
          ['log', printable(exit.log ?? 'none')],
        ] as const)),
  ])
}

const CONDITION: Record<Condition, string> = {
  'network-lost': 'network-lost: the network it joined is gone for good; stop it and start it again to get another',
  'limit-hit': 'limit-hit: processes were killed for want of memory (raise it with --memory), or its time is over',
  'needs-input': 'needs-input: its command waits for an answer',
  'stopping-late': 'stopping-late: the grace of a stop is over, and it still runs',
}

/** What could not be counted is not told as none. */
function limitLines(worker: Worker, exit: ExitRecord): [string, string][] {
  const met = limitsMet(worker, exit)
  if (exit.oomKills === null || exit.pidsLimitHits === null) met.push('Not all could be counted.')
  return met.length === 0 ? [['limits met', 'none']] : met.map((sentence) => ['limits met', sentence])
}
