import { Option, type Command } from 'commander'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { ClientTerminal } from '../../../coordinator/contract/request.ts'
import { onTerminal, type Context, type World } from '../context.ts'
import { wholeNumber } from '../option.ts'
import { type DetachKeys, parseDetachKeys } from './detach-keys.ts'
import { terminalName, terminalSize } from './size.ts'

/** A terminal that is held: by us, or (`relay`) by the launcher on the host, which has made the attachment's id then. */
export type Held = { id: string; terminal: ClientTerminal; relay: boolean; detachKeys: DetachKeys | undefined }

/** What the options below give. */
export type HeldOptions = { relay?: string; columns?: number; rows?: number; term?: string; detachKeys?: DetachKeys }

const cells = wholeNumber(1, 1000)

/** The options of every verb that takes a terminal into a worker; the hidden ones are the launcher's. */
export function withTerminal(command: Command): Command {
  return command
    .addOption(detachKeysOption())
    .addOption(new Option('--relay <id>', 'the launcher holds the terminal').hideHelp())
    .addOption(new Option('--columns <n>').argParser(cells).hideHelp())
    .addOption(new Option('--rows <n>').argParser(cells).hideHelp())
    .addOption(new Option('--term <name>').hideHelp())
}

export function detachKeysOption(): Option {
  return new Option('--detach-keys <keys>', 'also leave with these keys, such as ctrl-p,ctrl-q').argParser(
    parseDetachKeys,
  )
}

/** The terminal that a verb has; fails with `no-terminal` and the given next step where there is none. */
export function held(context: Context, options: HeldOptions, verb: string, hint: string): Held {
  if (options.relay !== undefined) return relayed(context, options.relay, options)
  if (!onTerminal(context)) {
    throw new Failure('no-terminal', `${verb} needs a terminal, and stdin or stdout is none.`, { hint })
  }
  return heldHere(context, options.detachKeys)
}

/** Our own terminal. */
export function heldHere(context: Context, detachKeys: DetachKeys | undefined): Held {
  const size = terminalSize(context) ?? { columns: 80, rows: 24 }
  const terminal = { ...size, term: terminalName(context) ?? 'xterm-256color', ...colorsOf(context) }
  return { id: context.newId('a'), terminal, relay: false, detachKeys }
}

function relayed(context: Context, id: string, options: HeldOptions): Held {
  const { columns = 80, rows = 24, term = 'xterm-256color', detachKeys } = options
  return { id, terminal: { columns, rows, term, ...colorsOf(context) }, relay: true, detachKeys }
}

function colorsOf(world: World): Pick<ClientTerminal, 'colors'> {
  const colors = world.env['COLORTERM']
  return colors === 'truecolor' || colors === '24bit' ? { colors } : {}
}
