import { Failure } from '../../../coordinator/contract/failure.ts'
import { ended, finish } from '../foreground.ts'
import { examples, jsonOption } from '../help.ts'
import { interruptible } from '../interrupt.ts'
import type { Register } from '../program.ts'

export const wait: Register = (program, context) => {
  program
    .command('wait')
    .argument('<name>', 'worker, running or ended')
    .description("wait until a worker has ended and exit with its command's code")
    .addOption(jsonOption())
    .addHelpText('after', '\nWhere the command left no code, ours is 125; "source" in --json says whose it is.')
    .addHelpText('after', examples('coordinator wait w1', 'coordinator wait w1 --json'))
    .action(async (name: string) => {
      const interrupted = (): Failure =>
        new Failure('interrupted', `Interrupted. Worker "${name}" keeps running.`, { hint: `coordinator wait ${name}` })
      const detail = await interruptible(context, interrupted, (signal) => ended(context, name, signal))
      context.exitCode = await finish(context, detail)
    })
}
