import { type ChildProcess, spawn } from 'node:child_process'
import { until } from './run.ts'

/** A command that is left running, with its stdin open. */
export class Background {
  /** What it exits with; null where a signal ended it. */
  readonly code: Promise<number | null>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''

  constructor(command: string, args: readonly string[], options: { cwd: string; env: Record<string, string> }) {
    const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env } })
    child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString()
    })
    this.#child = child
    this.code = new Promise((resolve) => child.on('close', resolve))
  }

  /** What it has printed on stdout. */
  get stdout(): string {
    return this.#stdout
  }

  /** Waits until it has printed the text on stdout. */
  async printed(text: string): Promise<void> {
    await until(`it prints ${text}`, async () => this.#stdout.includes(text))
  }

  /** Waits until it has said something like that on stderr. */
  async said(words: RegExp): Promise<void> {
    await until(`it says ${words.source}`, async () => words.test(this.#stderr))
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
