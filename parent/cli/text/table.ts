import { truncate, width } from './width.ts'

/** `min`: cells that must stay when the table is fitted; without it a column is never cut. */
export type Column = { title: string; min?: number; cut?: 'start' | 'end' }

const GAP = 2

/**
 * Lines of a table with its titles on top. With a `limit` (cells) the widest columns that may be cut give way first;
 * without one everything is shown.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], limit?: number): string {
  const natural = columns.map((column, index) =>
    Math.max(width(column.title), ...rows.map((row) => width(row[index] ?? ''))),
  )
  const widths = limit === undefined ? natural : fit(columns, natural, limit)
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(truncate(cells[index] ?? '', widths[index] ?? 0, column.cut), widths[index] ?? 0))
      .join(' '.repeat(GAP))
      .trimEnd()
  return [columns.map((column) => column.title), ...rows].map((cells) => `${line(cells)}\n`).join('')
}

function fit(columns: readonly Column[], natural: readonly number[], limit: number): number[] {
  const widths = [...natural]
  const floor = columns.map((column, index) => Math.min(column.min ?? Infinity, natural[index] ?? 0))
  let excess = widths.reduce((sum, cells) => sum + cells, GAP * (widths.length - 1)) - limit
  for (; excess > 0; excess -= 1) {
    let widest = -1
    for (const [index, cells] of widths.entries()) {
      if (cells > (floor[index] ?? 0) && (widest === -1 || cells > (widths[widest] ?? 0))) widest = index
    }
    if (widest === -1) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

function pad(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - width(text)))
}
