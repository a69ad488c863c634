import { Command, CommanderError } from 'commander'
import { DEFAULT_SOCKET } from '../../coordinator/contract/control.ts'
import { Failure } from '../../coordinator/contract/failure.ts'
import type { Context, World } from './context.ts'
import { controlClient } from './control-client.ts'
import { watchLifeline } from './lifeline.ts'
import { printable } from './text/printable.ts'
import { write, writeJson } from './write.ts'

/** Adds one verb (or, for `spawn`, everything) to a commander program. */
export type Register = (program: Command, context: Context) => void

/**
 * Runs one command line and answers its exit code. The only place where a failure becomes words: one line and the next
 * step on stderr, or one JSON object on stdout.
 */
export async function run(name: string, register: Register, world: World, argv: readonly string[]): Promise<number> {
  const dashes = argv.indexOf('--')
  const own = dashes === -1 ? argv : argv.slice(0, dashes)
  // A launcher's relay writes to a terminal in raw mode, where a line feed alone does not go back to the first column.
  const newline = own.includes('--relay') ? '\r\n' : '\n'
  const json = own.includes('--json')
  const context = contextOf(world, { rest: dashes === -1 ? undefined : argv.slice(dashes + 1), json, newline })
  let help = ''
  const program = new Command(name)
    .version(world.version)
    .helpOption('-h, --help', 'show this help')
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: true })
    .configureOutput({
      writeOut: (text) => (help += text),
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(world.stdout.columns || 80, 120),
    })
    .exitOverride()
  const lifeline = watchLifeline(world)
  try {
    register(program, context)
    await parse(program, own)
    if (help !== '') await write(world.stdout, help)
    return context.exitCode
  } catch (thrown) {
    const failure =
      thrown instanceof CommanderError ? usageFailure(thrown, commandOf(program, own)) : Failure.from(thrown)
    if (json) await writeJson(world.stdout, { error: failure.toShape() })
    else await write(world.stderr, lines(failure).join(newline) + newline)
    return failure.exitCode
  } finally {
    lifeline?.stop()
  }
}

/** Commander throws after `--help` and `--version` as well; those are no errors. */
async function parse(program: Command, own: readonly string[]): Promise<void> {
  try {
    await program.parseAsync([...own], { from: 'user' })
  } catch (thrown) {
    if (!(thrown instanceof CommanderError && thrown.exitCode === 0)) throw thrown
  }
}

/** The world is inherited, not copied: a stream is made only when it is used. */
function contextOf(world: World, line: { rest: string[] | undefined; json: boolean; newline: string }): Context {
  const inherited: World = Object.create(world)
  return Object.assign(inherited, {
    control: controlClient({ socketPath: socketPath(world), now: world.now }),
    rest: line.rest,
    json: line.json,
    say: (text: string) => {
      // Talk that nobody can hear is no failure.
      if (!line.json) write(world.stderr, printable(text) + line.newline).catch(() => {})
    },
    exitCode: 0,
  })
}

function socketPath(world: World): string {
  return world.env['HAL9000_SOCKET'] || DEFAULT_SOCKET
}

function lines(failure: Failure): string[] {
  const words = failure.hint === undefined ? [failure.message] : [failure.message, `Next: ${failure.hint}`]
  // They quote what people and repositories wrote.
  return words.map(printable)
}

const TAKES_COMMAND = new Set(['spawn', 'exec'])
const DASHES = ' Options of the command go after "--".'

/** Commander's complaint as our Failure: one sentence and where to read more. */
function usageFailure(error: CommanderError, command: string): Failure {
  const missingVerb = error.code === 'commander.help'
  const text = missingVerb ? 'A verb is missing' : error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  const advice =
    TAKES_COMMAND.has(command.split(' ').at(-1) ?? '') && error.code === 'commander.unknownOption' ? DASHES : ''
  const sentence = text.charAt(0).toUpperCase() + text.slice(1)
  return new Failure('usage', (/[.?)]$/.test(sentence) ? sentence : `${sentence}.`) + advice, {
    hint: `${command} --help`,
    cause: error,
  })
}

/** "coordinator stop" where the words name a verb, else the program alone. */
function commandOf(program: Command, own: readonly string[]): string {
  const verb = program.commands.find((command) => command.name() === own[0] || command.aliases().includes(own[0] ?? ''))
  return verb ? `${program.name()} ${verb.name()}` : program.name()
}
