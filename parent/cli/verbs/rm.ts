import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import type { RemoveResult } from '../../../coordinator/contract/worker.ts'
import { each } from '../each.ts'
import { examples, jsonOption } from '../help.ts'
import type { Register } from '../program.ts'

/** The engine may have much to delete. Milliseconds. */
const ANSWER_WITHIN = 60_000

const AFTER = `
Where several workers that ended had the name, the latest is meant; "inspect"
shows which, and the id of its request means exactly one.`

export const rm: Register = (program, context) => {
  program
    .command('rm')
    .argument('<name...>', 'workers that have ended')
    .description('remove the containers that --no-rm has kept; exit record and log stay')
    .option('--record', 'forget exit record and log too')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator rm w1', 'coordinator rm w1 w2 --record'))
    .action(async (names: string[], options: { record?: true }) => {
      context.exitCode = await each(context, names, 'removed', async (name) => {
        const { worker, exit, notices } = await context.control.call<RemoveResult>({
          method: 'POST',
          path: routeFor(ROUTE.remove, name),
          body: { record: options.record === true },
          answerWithin: ANSWER_WITHIN,
        })
        return { worker, exit, notices }
      })
    })
}
