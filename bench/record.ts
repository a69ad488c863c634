import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { timed } from './command.ts'
import type { Machine } from './machine.ts'
import type { Result } from './result.ts'
import { markdownTable } from './table.ts'

const RESULTS = join(import.meta.dirname, 'results')
const DOCUMENT = join(import.meta.dirname, '..', 'docs', 'performance.md')
const PLACE = /(<!-- figures: [^>]*-->\n)[\s\S]*(<!-- end of figures -->)/

export type Run = { date: string; command: string; machine: Machine; results: Result[] }

/** Keeps a run: every raw figure in bench/results/latest.json, in the form that `npm run format:check` wants. */
export async function keep(run: Run): Promise<void> {
  const file = join(RESULTS, 'latest.json')
  await mkdir(RESULTS, { recursive: true })
  await writeFile(file, JSON.stringify(run, rounded))
  await timed('npx', ['--no', 'oxfmt', file])
}

/** Puts a run's table into docs/performance.md. */
export async function document(run: Run): Promise<void> {
  const page = await readFile(DOCUMENT, 'utf8')
  if (!PLACE.test(page)) throw new Error('docs/performance.md has no place for the figures.')
  await writeFile(
    DOCUMENT,
    page.replace(PLACE, (_all, begin: string, end: string) => `${begin}${section(run)}${end}`),
  )
}

function section({ date, command, machine, results }: Run): string {
  const { cores, memory, engine, client, cgroup, storage, load } = machine
  return `
\`${command}\` on ${date.slice(0, 10)}: ${cores} cores, ${memory} GB of memory, Docker Engine ${engine}, Docker client ${client}, cgroup v${cgroup}, storage driver ${storage}; load average at the start ${load}.

${markdownTable(results)}
`
}

/** A tenth of a millisecond is finer than the noise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value
}
