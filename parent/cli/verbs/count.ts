import { examples, jsonOption } from '../help.ts'
import type { Register } from '../program.ts'
import { write, writeJson } from '../write.ts'
import { workersOf } from './list.ts'

export const count: Register = (program, context) => {
  program
    .command('count')
    .description('print how many workers have not ended')
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator count'))
    .action(async () => {
      const { length } = await workersOf(context, false)
      await (context.json ? writeJson(context.stdout, { count: length }) : write(context.stdout, `${length}\n`))
    })
}
