import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { wholeNumber } from '../option.ts'
import type { Register } from '../program.ts'

const cells = wholeNumber(1, 1000)

/** For the launcher, which holds the terminal of an attachment on the host. */
export const resize: Register = (program, context) => {
  program
    .command('resize', { hidden: true })
    .argument('<attachment>', 'its id')
    .argument('<columns>', '1 to 1000', cells)
    .argument('<rows>', '1 to 1000', cells)
    .description("tell the size of an attachment's terminal")
    .action(async (attachment: string, columns: number, rows: number) => {
      await context.control.call({
        method: 'POST',
        path: routeFor(ROUTE.resize, attachment),
        body: { columns, rows },
        patience: 0,
        answerWithin: 2_000,
      })
    })
}
