import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import type { WorkerDetail } from '../../../coordinator/contract/worker.ts'
import { examples, jsonOption } from '../help.ts'
import type { Register } from '../program.ts'
import { inspectView } from '../text/inspect-view.ts'
import { write, writeJson } from '../write.ts'

export const inspect: Register = (program, context) => {
  program
    .command('inspect')
    .argument('<name>', 'worker, running or ended')
    .description('show everything that is known of a worker, its exit record too')
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator inspect w1', 'coordinator inspect w1 --json'))
    .action(async (name: string) => {
      const detail = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, name) })
      await (context.json ? writeJson(context.stdout, detail) : write(context.stdout, inspectView(detail)))
    })
}
