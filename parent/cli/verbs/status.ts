import { ROUTE } from '../../../coordinator/contract/control.ts'
import { FAILURES } from '../../../coordinator/contract/failure.ts'
import type { Status } from '../../../coordinator/contract/worker.ts'
import { examples, jsonOption } from '../help.ts'
import type { Register } from '../program.ts'
import { statusView } from '../text/status-view.ts'
import { write, writeJson } from '../write.ts'

export const status: Register = (program, context) => {
  program
    .command('status')
    .description('show whether the coordinator is ready, starting or degraded; exits with 4 while it is not ready')
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator status', 'coordinator status --json'))
    .action(async () => {
      const answer = await context.control.call<Status>({ path: ROUTE.status })
      await (context.json
        ? writeJson(context.stdout, answer)
        : write(context.stdout, statusView(answer, context.now())))
      context.exitCode = answer.ready ? 0 : FAILURES['not-ready'].exitCode
    })
}
