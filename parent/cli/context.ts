import type { Readable, Writable } from 'node:stream'
import type { Control } from './control-client.ts'

export type Environment = Record<string, string | undefined>

/** Our standard input: a terminal, a pipe or a file. */
type Input = Readable & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown; unref?: () => unknown }

/** Our standard output or standard error. */
export type Output = Writable & { isTTY?: boolean; columns?: number; rows?: number }

/** Where signals come from: the process, or an emitter in tests. */
type Signals = {
  on: (name: string, listener: () => void) => unknown
  off: (name: string, listener: () => void) => unknown
}

/** Everything of the outside world that a command may use. Only the entry points read the real one. */
export type World = {
  readonly env: Environment
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly signals: Signals
  /** Whether our standard input is /dev/null, which is what `docker exec` gives without -i. */
  readonly inputIsNull: () => boolean
  /** Ends us as a lost terminal would: SIGHUP to ourselves. */
  readonly hangUp: () => void
  /** Changes a setting of the terminal that is our stdin, as stty(1) does. */
  readonly stty: (setting: string) => void
  /** Runs a program to its end without input; 127 when there is none of that name. */
  readonly execute: (program: string, args: readonly string[]) => Promise<{ code: number; stdout: string }>
  /** Runs a program to its end that writes where we do; its exit code. It ends when we do. */
  readonly passThrough: (program: string, args: readonly string[]) => Promise<number>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** A fresh id of one letter and 24 hexadecimal digits: valid for requests, jobs and attachments. */
  readonly newId: (letter: string) => string
  readonly version: string
}

/** The world, and what is the same for every verb of this one command line. */
export type Context = World & {
  readonly control: Control
  /** The words after `--`; undefined when there was no `--`. */
  readonly rest: readonly string[] | undefined
  /** `--json` was given: one object on stdout, no talk. */
  readonly json: boolean
  /** Prints one line of talk on stderr; nothing with `--json`. */
  readonly say: (line: string) => void
  /** What the process will exit with; the verbs set it. */
  exitCode: number
}

/**
 * A person looks at this output: it is a terminal, or the launcher on the host says that our output ends at one
 * (docker exec without -t has none inside).
 */
export function isTerminal(world: World, output: Output): boolean {
  return output.isTTY === true || world.env['HAL9000_TERMINAL'] === '1'
}

/** The same of our stderr, on which we talk. */
export function isTalkTerminal(world: World): boolean {
  return world.stderr.isTTY === true || world.env['HAL9000_STDERR_TERMINAL'] === '1'
}

/** Cells in a line of that terminal. */
export function terminalWidth(world: World): number {
  return world.stdout.columns || Number(world.env['HAL9000_COLUMNS']) || 80
}

/** Both ends are a terminal that a person looks at and types into. */
export function onTerminal(world: World): boolean {
  return world.stdin.isTTY === true && world.stdout.isTTY === true
}
