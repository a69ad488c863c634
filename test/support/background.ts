import { type ChildProcess, spawn } from 'node:child_process'
import { until } from './run.ts'

/** A command that is left running, with its stdin open. */
export class Background {
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''

  constructor(command: string, args: readonly string[], options: { cwd: string; env: Record<string, string> }) {
    this.#child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env } })
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString()
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString()
    })
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
