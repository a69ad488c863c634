import type { WorkerStats } from '../../../coordinator/contract/stats.ts'
import { printable } from './printable.ts'
import { table, type Column } from './table.ts'
import { sizeText } from './worker-view.ts'

const COLUMNS: readonly Column[] = [
  { title: 'NAME', min: 10 },
  { title: 'PROJECT', min: 8, cut: 'start' },
  { title: 'CPU' },
  { title: 'CPU%' },
  { title: 'MEMORY' },
  { title: 'MEM%' },
  { title: 'PROCESSES' },
]

/** What workers use as a table, "used/limit"; a dash where there is no limit, or a figure could not be read. */
export function statsTable(workers: readonly WorkerStats[], limit?: number): string {
  return table(
    COLUMNS,
    workers.map(({ name, project, cpu, memory, processes }) => [
      printable(name),
      printable(project),
      `${cpu.cores === null ? '-' : cpu.cores.toFixed(2)}/${cpu.limit ?? '-'}`,
      percent(cpu.cores, cpu.limit),
      `${memory.bytes === null ? '-' : sizeText(memory.bytes)}/${memory.limit === null ? '-' : sizeText(memory.limit)}`,
      percent(memory.bytes, memory.limit),
      `${processes.current ?? '-'}/${processes.limit ?? '-'}`,
    ]),
    limit,
  )
}

function percent(used: number | null, limit: number | null): string {
  return used === null || limit === null ? '-' : `${Math.round((used / limit) * 100)}%`
}
