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
    ['state', status.state],
    ...status.problems.map((problem) => ['problem', printable(problem)] as const),
    ...(status.notices ?? []).map((notice) => ['notice', printable(notice)] as const),
    [
      'engine',
      engine === null
        ? 'not reachable'
        : `Docker ${engine.version} (API ${engine.apiVersion}), ${engine.cpus} cores, ${formatSize(engine.memory)}, cgroup ${engine.cgroup}`,
    ],
    ['network', NETWORK[status.network ?? 'unknown']],
    ['projects', status.projectRoots.length === 0 ? 'no roots' : status.projectRoots.map(printable).join(', ')],
    ['workers', countsText(status.workers)],
    ...(Object.values(status.conditions ?? {}).some((count) => count > 0)
      ? [['conditions', countsText(status.conditions)] as const]
      : []),
    ['queue', queueText(queue)],
    ['started', `${status.startedAt}${Number.isNaN(started) ? '' : ` (${formatDuration(now - started)} ago)`}`],
  ])
}

const NETWORK = {
  holder: "the holder's: workers keep it when the parent restarts",
  parent: "the parent's: workers lose it when the parent restarts",
  lost: 'lost: the network holder does not run, or was started again; ./hal9000 up joins the parent to it',
  unknown: 'not known',
}

function countsText(counts: Record<string, number> | null): string {
  if (counts === null) return 'not known'
  const parts = Object.entries(counts).flatMap(([word, count]) => (count > 0 ? [`${count} ${word}`] : []))
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function queueText({ waiting, active, maxWorkers }: Status['queue']): string {
  const depth = waiting === null || active === null ? 'not known' : `${waiting} waiting, ${active} active`
  return `${depth}, ${maxWorkers === 0 ? 'no limit of workers' : `at most ${maxWorkers} workers`}`
}
