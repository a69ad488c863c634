import { ROUTE } from '../../../coordinator/contract/control.ts'
import { jsonOption } from '../help.ts'
import type { Register } from '../program.ts'
import { write, writeJson } from '../write.ts'

/** For health checks and `./hal9000 up`: one try, an answer within 5 s. */
export const ready: Register = (program, context) => {
  program
    .command('ready', { hidden: true })
    .description('exit with 0 if workers can be spawned now, else with 4 and the reason')
    .addOption(jsonOption())
    .action(async () => {
      await context.control.call({ path: ROUTE.ready, patience: 0, answerWithin: 5_000 })
      await (context.json ? writeJson(context.stdout, { ready: true }) : write(context.stdout, 'ready\n'))
    })
}
