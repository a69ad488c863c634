import type { Status } from '../../../coordinator/contract/worker.ts'
import { formatDuration, formatSize } from '../../../coordinator/contract/units.ts'
import { fields } from './fields.ts'
import { printable } from './printable.ts'

/** `coordinator status` for people; `now` in milliseconds since the epoch. */
export function statusView(status: Status, now: number): string {
  const { engine, queue } = status
  const started = Date.parse(status.startedAt)
  return fields([
    ['instance', `${printable(status.instance)}, version ${printable(status.version)}`],
    ['ready', status.ready ? 'yes' : 'no'],
    ...status.problems.map((problem) => ['problem', printable(problem)] as const),
    [
      'engine',
      engine === null
        ? 'not reachable'
        : `Docker ${engine.version} (API ${engine.apiVersion}), ${engine.cpus} cores, ${formatSize(engine.memory)}, cgroup ${engine.cgroup}`,
    ],
    [
      'network',
      status.network === 'holder'
        ? "the holder's: workers keep it when the parent restarts"
        : "the parent's: workers lose it when the parent restarts",
    ],
    ['projects', status.projectRoots.length === 0 ? 'no roots' : status.projectRoots.map(printable).join(', ')],
    ['workers', workersText(status.workers)],
    [
      'queue',
      `${queue.waiting} waiting, ${queue.active} active, ${queue.maxWorkers === 0 ? 'no limit of workers' : `at most ${queue.maxWorkers} workers`}`,
    ],
    ['started', `${status.startedAt}${Number.isNaN(started) ? '' : ` (${formatDuration(now - started)} ago)`}`],
  ])
}

function workersText(workers: Status['workers']): string {
  const parts = Object.entries(workers)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
