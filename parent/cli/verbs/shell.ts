import { examples } from '../help.ts'
import type { Register } from '../program.ts'
import { exitedCode } from '../run-in.ts'
import { enter } from '../terminal/enter.ts'
import { held, type HeldOptions, withTerminal } from '../terminal/held.ts'

const AFTER = `
A shell of its own beside the worker's command: as the same user, in the
project, with the same environment. To rejoin the command itself: coordinator
attach NAME. Exits with the shell's code. Closing the terminal ends the shell.`

export const shell: Register = (program, context) => {
  const command = program.command('shell').argument('<name>', 'running worker').description('open a shell in a worker')
  withTerminal(command)
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator shell w1'))
    .action(async (ref: string, options: HeldOptions) => {
      const { id, terminal, relay, detachKeys } = held(context, options, 'shell', `coordinator exec ${ref} -- sh -l`)
      const outcome = await enter(context, { ref, request: { enter: 'shell', id, terminal }, relay, detachKeys })
      context.exitCode = await exitedCode(context, outcome)
    })
}
