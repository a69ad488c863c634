import type { WorkerDetail } from '../../../coordinator/contract/worker.ts'
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
    ['limits', `${limitsText(worker.limits)} (memory/cores/processes)`],
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
          [
            'oom',
            `${exit.oomKilled ? 'yes' : 'no'}, ${exit.oomKills ?? 'an unknown number of'} processes killed for memory`,
          ],
          ['pids limit', exit.pidsLimitHits === null ? 'hits not known' : `${exit.pidsLimitHits} hits`],
          ['message', printable(exit.message ?? 'none')],
          ['log', printable(exit.log ?? 'none')],
        ] as const)),
  ])
}
