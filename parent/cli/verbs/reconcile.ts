import { ROUTE } from '../../../coordinator/contract/control.ts'
import type { ReconcilePlan } from '../../../coordinator/contract/reconcile.ts'
import { examples, jsonOption } from '../help.ts'
import type { Register } from '../program.ts'
import { printable } from '../text/printable.ts'
import { write, writeJson } from '../write.ts'

const AFTER = `
The coordinator compares every few seconds what is there with what should be, and
acts. This prints what it would do now, a line a step; mostly that is nothing.`

export const reconcile: Register = (program, context) => {
  program
    .command('reconcile')
    .requiredOption('--dry-run', 'only tell; the coordinator acts by itself')
    .description('show what is not as it should be, and what is about to be done')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator reconcile --dry-run'))
    .action(async () => {
      const { steps } = await context.control.call<ReconcilePlan>({ path: ROUTE.reconcile })
      await (context.json
        ? writeJson(context.stdout, { steps })
        : write(context.stdout, steps.map(({ text }) => `${printable(text)}\n`).join('')))
    })
}
