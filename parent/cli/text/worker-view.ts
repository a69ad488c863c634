import type { Limits, Worker } from '../../../coordinator/contract/worker.ts'
import { age } from './age.ts'
import { commandText, printable } from './printable.ts'
import { table, type Column } from './table.ts'

const COLUMNS: readonly Column[] = [
  { title: 'NAME', min: 10 },
  // "running needs-input" may lose its beginning: what it waits for says more.
  { title: 'STATE', min: 13, cut: 'start' },
  { title: 'PROJECT', min: 8, cut: 'start' },
  { title: 'COMMAND', min: 8 },
  { title: 'UP/ENDED' },
  { title: 'LIMITS' },
  { title: 'ATTACHED' },
]

/** Workers as a table; `limit` is the terminal's width in cells, `now` in milliseconds since the epoch. */
export function workerTable(workers: readonly Worker[], now: number, limit?: number): string {
  return table(
    COLUMNS,
    workers.map((worker) => [
      printable(worker.name),
      stateText(worker),
      printable(worker.project),
      commandText(worker.command),
      ageText(worker, now),
      limitsText(worker.limits),
      worker.attached > 0 ? String(worker.attached) : '-',
    ]),
    limit,
  )
}

/** "running", "running needs-input", "exited 0", "oom 137 KILL", "exited 0 limit-hit". */
export function stateText(worker: Worker): string {
  if (worker.state !== 'ended') return [worker.state, ...worker.conditions].join(' ')
  const { reason, exitCode, signal, oomKills, pidsLimitHits } = worker
  // "oom" says so itself.
  const limitHit = ((oomKills ?? 0) > 0 && reason !== 'oom') || (pidsLimitHits ?? 0) > 0
  return [reason ?? 'ended', exitCode, signal, limitHit ? 'limit-hit' : null].filter((part) => part !== null).join(' ')
}

/** "4g/2/100": memory, cores, processes; "none" without any cap. */
export function limitsText(limits: Limits): string {
  if (limits.memory === null && limits.cpus === null && limits.pids === null) return 'none'
  return [limits.memory === null ? '-' : sizeText(limits.memory), limits.cpus ?? '-', limits.pids ?? '-'].join('/')
}

/** "3 m" up, "3 m ago" ended. */
function ageText(worker: Worker, now: number): string {
  const time = Date.parse(worker.endedAt ?? worker.startedAt ?? worker.createdAt)
  if (Number.isNaN(time)) return '-'
  return worker.state === 'ended' ? `${age(now - time)} ago` : age(now - time)
}

/** As one would type it: 512m, 4g, 1.5g. */
export function sizeText(bytes: number): string {
  const [factor, unit] = bytes >= 2 ** 30 ? [2 ** 30, 'g'] : bytes >= 2 ** 20 ? [2 ** 20, 'm'] : [2 ** 10, 'k']
  return `${Number((bytes / factor).toFixed(1))}${unit}`
}
