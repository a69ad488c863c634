import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import type { CancelResult, QueueResult } from '../../../coordinator/contract/queue.ts'
import { isTerminal, terminalWidth } from '../context.ts'
import { each } from '../each.ts'
import { examples, jsonOption } from '../help.ts'
import type { Register } from '../program.ts'
import { queueTable } from '../text/queue-view.ts'
import { write, writeJson } from '../write.ts'

const AFTER = `
What is being started comes first, then the line in which the others wait. LEFT
is how long a request may still wait (spawn --wait).`

export const queue: Register = (program, context) => {
  const line = program
    .command('queue')
    .description('show which requests wait or are being started, and what they wait for')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator queue', 'coordinator queue --json', 'coordinator queue cancel w1'))
    .action(async () => {
      const { requests } = await context.control.call<QueueResult>({ path: ROUTE.queue })
      const limit = isTerminal(context, context.stdout) ? terminalWidth(context) : undefined
      await (context.json
        ? writeJson(context.stdout, { requests })
        : write(context.stdout, queueTable(requests, context.now(), limit)))
    })

  line
    .command('cancel')
    .argument('<id...>', "requests: their ids or the beginnings of them, or their workers' names")
    .description('take back requests that wait; whoever waits for their workers is told')
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator queue cancel w1', 'coordinator queue cancel w1 w2 --json'))
    .action(async (ids: string[]) => {
      context.exitCode = await each(context, ids, 'cancelled', async (id) => {
        const { worker, notices } = await context.control.call<CancelResult>({
          method: 'POST',
          path: routeFor(ROUTE.cancel, id),
        })
        return { worker, notices }
      })
    })
}
