import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import type { StopResult } from '../../../coordinator/contract/worker.ts'
import { each } from '../each.ts'
import { examples, jsonOption } from '../help.ts'
import { wholeNumber } from '../option.ts'
import type { Register } from '../program.ts'

/** How long a stop may take beyond its grace. Milliseconds. */
export const STOP_MARGIN = 60_000

export const stop: Register = (program, context) => {
  program
    .command('stop')
    .argument('<name...>', 'workers to stop')
    .description('stop workers; prints the names of those that are stopped')
    .option('-t, --time <seconds>', 'time between TERM and KILL', wholeNumber(0, 3600), 10)
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator stop w1', 'coordinator stop w1 w2 --time 30'))
    .action(async (names: string[], options: { time: number }) => {
      context.exitCode = await each(context, names, 'stopped', async (name) => {
        const { worker, exit, notices } = await context.control.call<StopResult>({
          method: 'POST',
          path: routeFor(ROUTE.stop, name),
          body: { grace: options.time },
          answerWithin: options.time * 1000 + STOP_MARGIN,
        })
        return { worker, exit, notices }
      })
    })
}
