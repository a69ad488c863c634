import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { StatsResult } from '../../../coordinator/contract/stats.ts'
import { isTerminal, terminalWidth, type Context } from '../context.ts'
import { examples } from '../help.ts'
import { pause } from '../persist.ts'
import type { Register } from '../program.ts'
import { statsTable } from '../text/stats-view.ts'
import { write, writeJson } from '../write.ts'

/** From one sample to the next. Milliseconds. */
const EVERY = 2_000

/** To the first cell, and everything after it away: whatever the size of the terminal. */
const CLEAR = '\u001b[H\u001b[J'

const AFTER = `
Figures are USED/LIMIT: cores over the last second, memory without the cache of
files, processes and threads. A dash: no limit, or it could not be read.`

export const stats: Register = (program, context) => {
  program
    .command('stats')
    .argument('[name...]', 'workers that run; without one, all of them')
    .description('show what workers use: cores, memory, processes')
    .option('-f, --follow', 'go on, every 2 seconds, until interrupted or until the named workers have ended')
    .option('--json', 'print one JSON object, with --follow one a line; also for failures')
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator stats', 'coordinator stats w1 w2 --follow', 'coordinator stats --json'))
    .action(async (names: string[], options: { follow?: true }) => {
      await show(context, [...new Set(names)], options.follow === true)
    })
}

async function show(context: Context, names: readonly string[], follow: boolean): Promise<void> {
  const output = context.json ? jsonLines(context) : tables(context, follow)
  const all = names.length === 0
  let started = context.now()
  let sample = all ? await ofAll(context) : await ofNamed(context, names)
  for (;;) {
    const stillRead = await output(sample)
    if (!follow || !stillRead) return
    await pause(Math.max(0, started + EVERY - context.now()), undefined)
    started = context.now()
    sample = all ? await ofAll(context) : await ofThose(context, sample)
    if (!all && sample.workers.length === 0) return
  }
}

function ofAll(context: Context): Promise<StatsResult> {
  return context.control.call<StatsResult>({ path: ROUTE.statsAll })
}

async function ofNamed(context: Context, refs: readonly string[]): Promise<StatsResult> {
  const samples = await Promise.all(
    refs.map((ref) => context.control.call<StatsResult>({ path: routeFor(ROUTE.stats, ref) })),
  )
  return { at: samples[0]?.at ?? '', workers: samples.flatMap(({ workers }) => workers) }
}

/** The same workers again, by their requests: a name may be another's by now. Those that have ended are left out. */
async function ofThose(context: Context, { at, workers }: StatsResult): Promise<StatsResult> {
  const samples = await Promise.all(
    workers.map(({ request }) =>
      ofNamed(context, [request]).catch((error: unknown) => {
        const { code } = Failure.from(error)
        if (code === 'wrong-state' || code === 'not-found') return { at, workers: [] }
        throw error
      }),
    ),
  )
  return { at: samples[0]?.at ?? at, workers: samples.flatMap((sample) => sample.workers) }
}

type Show = (sample: StatsResult) => Promise<boolean>

function jsonLines(context: Context): Show {
  return ({ at, workers }) => writeJson(context.stdout, { at, workers })
}

/** A table after the other; who follows on a terminal sees each on a screen of its own. */
function tables(context: Context, follow: boolean): Show {
  const terminal = isTerminal(context, context.stdout)
  let between = ''
  return ({ workers }) => {
    const text = statsTable(workers, terminal ? terminalWidth(context) : undefined)
    const before = terminal && follow ? CLEAR : between
    between = '\n'
    return write(context.stdout, before + text)
  }
}
