import { type Pull, pullWords } from '../../../coordinator/contract/pull.ts'
import { isTalkTerminal, terminalWidth, type Context } from '../context.ts'
import { write } from '../write.ts'
import { printable } from './printable.ts'

/** Between lines where they are kept, off a terminal. Milliseconds. */
const EVERY = 5_000
/** Back to the first column, and clear the line (ECMA-48, EL). */
const ANEW = '\r\u001b[K'

/** What is told of a pull on stderr: one line that is rewritten on a terminal, else a line now and then. */
export class PullLine {
  readonly #context: Context
  #told: { words: string; at: number } | undefined

  constructor(context: Context) {
    this.#context = context
  }

  show(pull: Pull): void {
    const words = printable(pullWords(pull))
    const at = this.#context.now()
    if (words === this.#told?.words) return
    if (this.#inPlace) this.#write(`${ANEW}${words.slice(0, terminalWidth(this.#context) - 1)}`)
    else if (this.#told !== undefined && at - this.#told.at < EVERY) return
    else this.#context.say(words)
    this.#told = { words, at }
  }

  /** Leaves the terminal as it was. */
  end(): void {
    if (this.#inPlace && this.#told !== undefined) this.#write(ANEW)
  }

  get #inPlace(): boolean {
    return !this.#context.json && isTalkTerminal(this.#context) && this.#context.env['TERM'] !== 'dumb'
  }

  #write(text: string): void {
    // Talk that nobody can hear is no failure.
    write(this.#context.stderr, text).catch(() => {})
  }
}
