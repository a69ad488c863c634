import { Option } from 'commander'
import { Failure } from '../../../coordinator/contract/failure.ts'
import { onTerminal } from '../context.ts'
import { examples } from '../help.ts'
import type { Register } from '../program.ts'
import { exitedCode, runOnPipes } from '../run-in.ts'
import { enter } from '../terminal/enter.ts'
import { held, type HeldOptions, withTerminal } from '../terminal/held.ts'
import { commandText } from '../text/printable.ts'

type Options = HeldOptions & { tty: boolean; stdin: boolean; id?: string }

const AFTER = `
Runs one more command beside the worker's own: as the same user, in the project,
with the same environment. On a terminal it gets one too; otherwise its input,
outputs and exit code are passed as they are. Ending us hangs up on the command
(nohup keeps it), and so does a restart of the coordinator: then we exit with
125.`

export const exec: Register = (program, context) => {
  const command = program
    .command('exec')
    .usage('[options] <name> -- COMMAND ARG...')
    .argument('<name>', 'running worker')
    .argument('[excess...]')
    .description('run a command in a worker')
    .option('-T, --no-tty', 'plain pipes, even on a terminal')
    .option('--no-stdin', 'leave our input alone; the command has none')
    .addOption(new Option('--id <id>', 'made by the launcher, which hangs up by it').hideHelp())
  withTerminal(command)
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator exec w1 -- git status', 'coordinator exec w1 -- sh -c "cat > x" < x'))
    .action(async (ref: string, excess: string[], options: Options) => {
      const words = context.rest ?? []
      if (excess.length > 0) throw missingDashes(ref, [...excess, ...words])
      if (words.length === 0) {
        throw new Failure('usage', 'The command after "--" is missing.', { hint: `coordinator shell ${ref}` })
      }
      const what = { enter: 'command' as const, command: [...words] }
      const tty = options.tty && options.stdin && (options.relay !== undefined || onTerminal(context))
      if (tty) {
        const { id, terminal, relay, detachKeys } = held(context, options, 'exec', 'coordinator exec --help')
        const outcome = await enter(context, { ref, request: { ...what, id, terminal }, relay, detachKeys })
        context.exitCode = await exitedCode(context, outcome)
        return
      }
      const request = { ...what, id: options.id ?? context.newId('a'), terminal: null }
      const outcome = await runOnPipes(context, { ref, request }, { input: options.stdin })
      context.exitCode = await exitedCode(context, outcome)
    })
}

function missingDashes(ref: string, words: string[]): Failure {
  return new Failure('usage', 'The command goes after "--".', {
    hint: `coordinator exec ${commandText([ref])} -- ${commandText(words)}`,
  })
}
