import { workerTable } from '../cli/text/worker-view.ts'
import { printable } from '../cli/text/printable.ts'
import { truncate, width } from '../cli/text/width.ts'
import type { Status, Worker } from '../../coordinator/contract/worker.ts'

/** What was read last, and what is wrong now; null = nothing. */
export type View = { status: Status | null; workers: readonly Worker[]; trouble: string | null }

type FrameOptions = {
  columns: number
  rows: number
  /** Milliseconds since the epoch. */ now: number
  colour: boolean
}

/**
 * The lines of the table pane: a header, the workers, and how many did not fit. Never more lines than `rows`, no line
 * wider than `columns` less one: a terminal that has filled its last column would erase it when told to clear the rest.
 */
export function frame(view: View, options: FrameOptions): string[] {
  const columns = Math.max(1, options.columns - 1)
  const [titles = '', ...rows] = workerTable(view.workers, options.now, columns).trimEnd().split('\n')
  const room = Math.max(0, options.rows - 2)
  const kept = rows.length <= room ? rows : rows.slice(0, Math.max(0, room - 1))
  const body = [
    ...(rows.length > 0 ? [titles, ...kept] : [emptyText(view)]),
    ...(kept.length < rows.length ? [`… and ${rows.length - kept.length} more (coordinator list)`] : []),
  ]
  return [header(view, columns, options), ...body.map((line) => truncate(line, columns))].slice(0, options.rows)
}

/** "hal9000  ready  2 running, 1 queued        08:31:05 UTC", in reverse; red when something is wrong. */
function header(view: View, columns: number, options: FrameOptions): string {
  const clock = `${new Date(options.now).toISOString().slice(11, 19)} UTC`
  const { status } = view
  const parts = [
    ...(status === null ? [] : [printable(status.instance)]),
    view.trouble ?? (status === null ? 'connecting' : stateText(status)),
    ...(status === null || view.trouble !== null ? [] : [countsText(status.workers)]),
  ]
  const left = truncate(parts.join('  '), Math.max(1, columns - clock.length - 2))
  const text = truncate(left + ' '.repeat(Math.max(2, columns - width(left) - clock.length)) + clock, columns)
  if (!options.colour) return text
  return `${view.trouble !== null || status?.ready === false ? '\u001b[1;31m' : '\u001b[1m'}${text}\u001b[0m`
}

function stateText(status: Status): string {
  return [status.state, status.problems.map(printable).join('; ')].filter((part) => part !== '').join(': ')
}

function countsText(counts: Status['workers']): string {
  if (counts === null) return 'workers not known'
  const present = Object.entries(counts).filter(([state, count]) => count > 0 && state !== 'ended')
  return present.map(([state, count]) => `${count} ${state}`).join(', ') || 'no workers'
}

function emptyText(view: View): string {
  if (view.status?.workers == null || view.trouble !== null) return ''
  return 'No workers. Start one with C-b w, or in the shell below: spawn --help'
}
