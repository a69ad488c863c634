import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { StopResult } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { examples, jsonOption } from '../help.ts'
import { wholeNumber } from '../option.ts'
import type { Register } from '../program.ts'
import { write, writeJson } from '../write.ts'

type Stopped = { name: string; result: StopResult } | { name: string; failure: Failure }

/** How long a stop may take beyond its grace. Milliseconds. */
export const STOP_MARGIN = 30_000

export const stop: Register = (program, context) => {
  program
    .command('stop')
    .argument('<name...>', 'workers to stop')
    .description('stop workers; prints the names of those that are stopped')
    .option('-t, --time <seconds>', 'time between TERM and KILL', wholeNumber(0, 3600), 10)
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator stop w1', 'coordinator stop w1 w2 --time 30'))
    .action(async (names: string[], options: { time: number }) => {
      const results = await Promise.all([...new Set(names)].map((name) => stopOne(context, name, options.time)))
      context.exitCode = await report(context, results)
    })
}

async function stopOne(context: Context, name: string, grace: number): Promise<Stopped> {
  try {
    const result = await context.control.call<StopResult>({
      method: 'POST',
      path: routeFor(ROUTE.stop, name),
      body: { grace },
      answerWithin: grace * 1000 + STOP_MARGIN,
    })
    return { name, result }
  } catch (error) {
    return { name, failure: Failure.from(error) }
  }
}

/** Each name is reported; the first failure's exit code is ours. */
async function report(context: Context, results: readonly Stopped[]): Promise<number> {
  const stopped = results.filter((one) => 'result' in one)
  const failed = results.filter((one) => 'failure' in one)
  const first = failed[0]?.failure
  // One name that failed is one failure, and is answered as every other.
  if (first && results.length === 1) throw first
  if (context.json) {
    await writeJson(context.stdout, {
      stopped: stopped.map(({ result }) => ({ worker: result.worker, exit: result.exit, notices: result.notices })),
      failed: failed.map(({ name, failure }) => ({ name, error: failure.toShape() })),
      ...(first && { error: first.toShape() }),
    })
    return first?.exitCode ?? 0
  }
  for (const { result } of stopped) {
    for (const notice of result.notices) context.say(notice)
    await write(context.stdout, `${result.worker.name}\n`)
  }
  for (const { failure } of failed) {
    context.say(failure.message)
    if (failure.hint !== undefined) context.say(`Next: ${failure.hint}`)
  }
  return first?.exitCode ?? 0
}
