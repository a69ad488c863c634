import { Option } from 'commander'
import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { WorkerDetail } from '../../../coordinator/contract/worker.ts'
import { onTerminal, type Context } from '../context.ts'
import { stayWith } from '../foreground.ts'
import { examples, jsonOption } from '../help.ts'
import { wholeNumber } from '../option.ts'
import type { Register } from '../program.ts'
import { attachTo } from '../terminal/attach.ts'
import { terminalName, terminalSize } from '../terminal/size.ts'

type Options = { relay?: string; columns?: number; rows?: number; term?: string }

const cells = wholeNumber(1, 1000)

export const attach: Register = (program, context) => {
  program
    .command('attach')
    .argument('<name>', 'running worker')
    .description("join a worker's session; detach with Ctrl-b d, and the worker goes on")
    .addOption(jsonOption())
    .addOption(new Option('--relay <id>', 'the launcher holds the terminal').hideHelp())
    .addOption(new Option('--columns <n>').argParser(cells).hideHelp())
    .addOption(new Option('--rows <n>').argParser(cells).hideHelp())
    .addOption(new Option('--term <name>').hideHelp())
    .addHelpText('after', "\nExits with 0 when you detach, with the command's own code when the command ends.")
    .addHelpText('after', examples('coordinator attach w1'))
    .action(async (name: string, options: Options) => {
      context.exitCode = await (options.relay === undefined
        ? attachHere(context, name)
        : relay(context, name, options.relay, options))
    })
}

function attachHere(context: Context, name: string): Promise<number> {
  if (!onTerminal(context)) {
    throw new Failure('no-terminal', 'attach needs a terminal, and stdin or stdout is none.', {
      hint: `coordinator logs -f ${name}`,
    })
  }
  return attachTo(context, {
    ref: name,
    id: context.newId('a'),
    size: terminalSize(context) ?? { columns: 80, rows: 24 },
    term: terminalName(context) ?? 'xterm-256color',
    relay: false,
  })
}

/** The launcher on the host has made the attachment's id and told the terminal's size and kind. */
async function relay(context: Context, ref: string, id: string, options: Options): Promise<number> {
  try {
    return await attachTo(context, {
      ref,
      id,
      size: { columns: options.columns ?? 80, rows: options.rows ?? 24 },
      term: options.term ?? 'xterm-256color',
      relay: true,
    })
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'wrong-state') throw error
    const { worker } = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, ref) })
    // Only a foreground spawn hands a request over: its command has ended before the launcher could attach.
    if (worker.state !== 'ended' || worker.request !== ref) throw error
    return stayWith(context, worker, true)
  }
}
