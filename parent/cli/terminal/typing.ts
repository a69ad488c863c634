import { Failure } from '../../../coordinator/contract/failure.ts'
import type { World } from '../context.ts'
import { write } from '../write.ts'
import { LEAVE_SIGNALS } from './pump.ts'
import type { Size } from './size.ts'

/** More than a person types in that time is not kept. Bytes. */
const MOST = 65_536
const CTRL_C = '\u0003'
/** How long a terminal may take to say where its cursor is. Milliseconds. */
const ANSWER = 500
/** Saves the cursor, moves it as far as it goes, asks where it is, and puts it back (xterm's "ctlseqs": DECSC, CUP, DSR, DECRC). */
const QUESTION = '\u001b7\u001b[999;999H\u001b[6n\u001b8'
const POSITION = /\u001b\[(\d{1,4});(\d{1,4})R/

/** A terminal while there is no session to type to: keeps what is typed, and knows when the person wants to leave. */
export class Typing implements Disposable {
  readonly #world: World
  readonly #left = new AbortController()
  readonly #giveBack: () => void
  /** Bytes, one a character. */
  #typed = ''
  #heard: () => void = () => {}

  constructor(world: World) {
    this.#world = world
    const { stdin, signals } = world
    const leave = (): void => this.#left.abort(new Failure('interrupted', 'Interrupted.'))
    const hear = (chunk: Buffer): void => {
      this.#typed = (this.#typed + chunk.toString('latin1')).slice(0, MOST)
      if (this.#typed.includes(CTRL_C)) leave()
      this.#heard()
    }
    stdin.on('data', hear).on('end', leave).on('error', leave).resume()
    for (const name of LEAVE_SIGNALS) signals.on(name, leave)
    this.#giveBack = () => {
      stdin.off('data', hear).off('end', leave).off('error', leave).pause()
      for (const name of LEAVE_SIGNALS) signals.off(name, leave)
    }
  }

  /** Aborts when the person leaves: with Ctrl-C, by closing the terminal, or by ending us. */
  get left(): AbortSignal {
    return this.#left.signal
  }

  /** The terminal's size by its own account; undefined if it does not say. */
  async askSize(): Promise<Size | undefined> {
    const answer = Promise.withResolvers<Size | undefined>()
    const timer = setTimeout(() => answer.resolve(undefined), ANSWER)
    this.#heard = () => {
      const [sequence, rows, columns] = POSITION.exec(this.#typed) ?? []
      if (sequence === undefined) return
      this.#typed = this.#typed.replace(sequence, '')
      answer.resolve({ columns: Number(columns), rows: Number(rows) })
    }
    try {
      await write(this.#world.stdout, QUESTION)
      return await answer.promise
    } finally {
      clearTimeout(timer)
      this.#heard = () => {}
    }
  }

  /** What was typed. */
  take(): Buffer {
    const typed = Buffer.from(this.#typed, 'latin1')
    this.#typed = ''
    return typed
  }

  [Symbol.dispose](): void {
    this.#giveBack()
  }
}
