import { parseArgs } from 'node:util'
import { readMachine } from './machine.ts'
import { boot } from './measures/boot.ts'
import { commands } from './measures/commands.ts'
import { identity } from './measures/identity.ts'
import { idle } from './measures/idle.ts'
import { list } from './measures/list.ts'
import { foreground, spawn } from './measures/spawn.ts'
import { stop } from './measures/stop.ts'
import { throughput } from './measures/throughput.ts'
import type { Rounds } from './pairs.ts'
import { document, keep } from './record.ts'
import { judge, type Result } from './result.ts'
import { Stage } from './stage.ts'
import { textTable } from './table.ts'

const USAGE = `Usage: npm run bench -- [options]

  --no-enforce      exit with 0 also when a target is missed
  --quick           a look in two minutes: few rounds; nothing is kept
  --only NAME       one measure, may be repeated; nothing is kept
  --document        put the table into docs/performance.md
  --help

Measures: ${['idle', 'spawn', 'foreground', 'throughput', 'list', 'stop', 'boot', 'commands', 'identity'].join(', ')}.
A whole run takes about eight minutes and keeps every figure in bench/results/latest.json. It needs root (the memory of
processes is read from /proc), and an engine on this host. Exits with 1 when a target is missed.
`

type Measure = (stage: Stage, signal: AbortSignal) => Promise<Result[]>

/** In the order in which they run; the first idle is that of a parent that has just come up. */
function measures(quick: boolean): [string, Measure][] {
  const rounds = (count: number, warmUp = 3): Rounds =>
    quick ? { warmUp: 1, count: Math.min(count, 4) } : { warmUp, count }
  const span = quick ? 5_000 : 20_000
  return [
    ['idle', (stage, signal) => idle(stage, 'after the start', span, signal)],
    ['spawn', (stage) => spawn(stage, rounds(40, 5))],
    ['foreground', (stage) => foreground(stage, rounds(20))],
    ['throughput', (stage) => throughput(stage, rounds(5, 1))],
    ['list', (stage) => list(stage, rounds(40), quick ? 10 : 50)],
    ['stop', (stage) => stop(stage, (slow) => (slow ? rounds(quick ? 1 : 5, 0) : rounds(15, 1)))],
    ['idle', (stage, signal) => idle(stage, 'after this load', span, signal)],
    ['boot', (stage) => boot(stage, rounds(10, 1))],
    ['commands', (stage) => commands(stage, rounds(40))],
    ['identity', () => identity()],
  ]
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'no-enforce': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      document: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(USAGE)
  const all = measures(values.quick)
  const unknown = values.only?.find((name) => !all.some(([known]) => known === name))
  if (unknown !== undefined) throw new Error(`There is no measure "${unknown}". Next: npm run bench -- --help`)
  const chosen = all.filter(([name]) => values.only?.includes(name) ?? true)

  const date = new Date().toISOString()
  const machine = await readMachine()
  const results: Result[] = []
  try {
    await play(chosen, results)
  } finally {
    // Also what was measured before something failed.
    if (results.length > 0) process.stdout.write(textTable(results))
  }
  const run = { date, command: 'npm run bench', machine, results }
  if (!values.quick && values.only === undefined) {
    await keep(run)
    if (values.document) await document(run)
  }
  const missed = results.filter((result) => judge(result).verdict === 'missed')
  for (const { what } of missed) say(`missed: ${what}`)
  if (missed.length > 0 && !values['no-enforce']) process.exitCode = 1
}

/** Sets the stage, runs the measures one after the other, and clears the stage whatever happens, also at Ctrl-C. */
async function play(chosen: readonly [string, Measure][], results: Result[]): Promise<void> {
  const interrupted = new AbortController()
  const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
  for (const [signal, code] of Object.entries(codes)) {
    process.on(signal, () => {
      if (!interrupted.signal.aborted) say('interrupted; removing everything')
      process.exitCode = code
      interrupted.abort(new Error(`interrupted by ${signal}`))
    })
  }
  await using stage = new Stage(interrupted.signal)
  say(`setting up ${stage.name}`)
  await stage.open()
  for (const [name, measure] of chosen) {
    say(name)
    results.push(...(await measure(stage, interrupted.signal)))
  }
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`)
}

main().catch((error: unknown) => {
  for (const cause of causes(error)) say(cause)
  process.exitCode ||= 1
})

/** What went wrong first, then what went wrong while cleaning up. */
function causes(error: unknown): string[] {
  if (error instanceof SuppressedError) return [...causes(error.suppressed), ...causes(error.error)]
  if (error instanceof AggregateError) return [error.message, ...error.errors.flatMap(causes)]
  return [error instanceof Error ? error.message : String(error)]
}
