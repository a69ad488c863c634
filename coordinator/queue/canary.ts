import { Failure } from '../contract/failure.ts'

/** How long after a canary that was heard the next one is sent. Milliseconds. */
const INTERVAL = 15_000
/** How long one may be on its way while there is a place for it. Milliseconds. */
const PATIENCE = 5_000

export type CanaryOptions = {
  /** Puts the canary on the queue, where it may be already. Fails without Redis. */
  send: () => Promise<unknown>
  /** Whether a job that waits would be taken up now: where every place is taken a canary waits like all others. */
  hasPlace: () => boolean
  /** A canary was not heard though it should have been. */
  onSilence: () => void
}

/**
 * The health check of a queue: a job of no meaning that goes the way of every order. A consumer whose connection is dead may
 * wait for ever, without an error and with a Redis that answers everybody else.
 */
export class Canary {
  readonly #options: CanaryOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #heard = false
  #silences = 0
  /** Why orders are not taken up, as far as is known; undefined while they are. */
  trouble: Failure | undefined

  constructor(options: CanaryOptions) {
    this.#options = options
  }

  /** Sends one after the other, until `stop`. */
  start(): void {
    this.#in(INTERVAL, () => this.#send())
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** A job was taken up, the canary or an order. */
  heard(): void {
    this.#heard = true
    this.#silences = 0
    this.trouble = undefined
  }

  async #send(): Promise<void> {
    this.#heard = false
    if (await this.#isSent()) this.#in(PATIENCE, () => this.#judge())
    else this.#in(INTERVAL, () => this.#send())
  }

  async #judge(): Promise<void> {
    // Sent once more: where that fails it is Redis that is away, which is told elsewhere.
    const silent = !this.#heard && this.#options.hasPlace() && (await this.#isSent()) && !this.#heard
    if (!silent) return this.#in(INTERVAL, () => this.#send())
    this.#silences += 1
    // Once may be a bad moment, and the consumer is a new one then.
    if (this.#silences > 1) this.trouble = stuck()
    this.#options.onSilence()
    this.#in(PATIENCE, () => this.#judge())
  }

  async #isSent(): Promise<boolean> {
    return await this.#options.send().then(
      () => true,
      () => false,
    )
  }

  #in(milliseconds: number, then: () => Promise<void>): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void then(), milliseconds).unref()
  }
}

function stuck(): Failure {
  return new Failure('not-ready', 'Redis answers, and nothing that waits in its queue is handed out.', {
    hint: 'coordinator daemon restart',
  })
}
