import { judge, type Result, type Target } from './result.ts'

const HEAD = ['measure', 'unit', 'n', 'p50', 'p95', 'against', 'p50', 'p95', 'ratio p50', 'ratio p95', 'target', '']

/** The results in columns, for a terminal. */
export function textTable(results: readonly Result[]): string {
  const rows = [HEAD, ...results.map(cells)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row.map((cell, column) =>
        isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      ),
    )
    .map((row) => `${row.join('  ').trimEnd()}\n`)
    .join('')
}

/** The same for a document. */
export function markdownTable(results: readonly Result[]): string {
  const rule = HEAD.map((_, column) => (isText(column) ? '---' : '---:'))
  return [HEAD, rule, ...results.map(cells)].map((row) => `| ${row.join(' | ')} |\n`).join('')
}

function isText(column: number): boolean {
  return [0, 1, 5, 10, 11].includes(column)
}

function cells(result: Result): string[] {
  const { ours, against, ratio, verdict } = judge(result)
  const single = ours.n === 1
  return [
    result.what,
    result.unit,
    String(ours.n),
    figure(ours.p50),
    single ? '' : figure(ours.p95),
    result.against?.what ?? '',
    against ? figure(against.p50) : '',
    against ? figure(against.p95) : '',
    ratio ? `${ratio.p50.toFixed(2)} ×` : '',
    ratio ? `${ratio.p95.toFixed(2)} ×` : '',
    result.target ? targetText(result.target, result.unit) : '',
    verdict ?? '',
  ]
}

function targetText({ of, limit }: Target, unit: string): string {
  return of === 'ratio' ? `ratio p50 ≤ ${limit}` : `p95 ≤ ${limit} ${unit}`
}

/** Three digits that mean something. */
function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
