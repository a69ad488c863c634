import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import type { Register } from '../program.ts'

/** For the launcher, which is told to end while a command without a terminal runs: docker exec forwards no signal. */
export const hangUp: Register = (program, context) => {
  program
    .command('hang-up', { hidden: true })
    .argument('<attachment>', 'its id')
    .description('hang up on a command that was begun with exec')
    .action(async (attachment: string) => {
      await context.control.call({
        method: 'POST',
        path: routeFor(ROUTE.hangUp, attachment),
        patience: 0,
        answerWithin: 2_000,
      })
    })
}
