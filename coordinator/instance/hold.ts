/** How a coordinator loses its instance: its lock file was removed or replaced, or a greater epoch is in Redis. */
export type Loss = { lost: 'lock' | 'epoch'; because: string }

export type HoldSources = {
  epoch: number
  /** Whether the lock file is still the one that was locked; undefined when that cannot be told. */
  lockIntact: () => Promise<boolean | undefined>
  /** The greatest epoch that Redis has seen, ours included; undefined, or an answer that is long in coming, while it cannot be asked. */
  greatestEpoch: () => Promise<number | undefined>
  /** Called once. It is expected not to come back from there. */
  onLoss: (loss: Loss) => void
  /** A clock that goes on while this process is stopped. Milliseconds. */
  now: () => number
}

/** How often it is looked whether the instance is still ours. Milliseconds. */
const INTERVAL = 2_000
/** A look older than this is no word on now: this process may have been stopped since. Milliseconds. */
const FRESH = 4_000
/** How long Redis may take to say whether the instance is still ours. Milliseconds. */
const PATIENCE = 1_000

/**
 * This coordinator's hold of its instance. The kernel's lock is held for life, but its file can be removed under us, and
 * then another one can be the holder of a new file: so it is looked for, and where it is lost this coordinator ends.
 */
export class Hold {
  readonly #sources: HoldSources
  #lookedAt = Number.NEGATIVE_INFINITY
  #look: Promise<void> | undefined
  #lost = false
  #doubted = false

  constructor(sources: HoldSources) {
    this.#sources = sources
  }

  /** Looks every few seconds, until the returned function is called. */
  watch(): () => void {
    const timer = setInterval(() => void this.#lookNow(), INTERVAL)
    return () => clearInterval(timer)
  }

  /**
   * Returns at once while the last look is fresh; else looks first. Called before every effect: one that was stopped in the
   * middle of its work, and wakes when the instance is another's, does nothing more. Never returns once the hold is lost.
   */
  async confirm(): Promise<void> {
    if (this.#sources.now() - this.#lookedAt > FRESH) await this.#lookNow()
    if (this.#lost) await new Promise(() => {})
  }

  /** Something says that the instance may be another's: the next effect looks first, however fresh the last look is. */
  doubt(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY
    this.#doubted = true
  }

  #lookNow(): Promise<void> {
    this.#look ??= this.#lookOnce().finally(() => {
      this.#look = undefined
    })
    return this.#look
  }

  async #lookOnce(): Promise<void> {
    const { epoch, lockIntact, greatestEpoch, onLoss, now } = this.#sources
    const begun = now()
    this.#doubted = false
    // The lock first: it is the cause, and a greater epoch may be its consequence.
    const intact = await lockIntact()
    const greatest = intact === false ? undefined : await soon(greatestEpoch())
    if (this.#lost) return
    // What cannot be told is no loss: Docker's names and labels guard what is done meanwhile.
    if (intact === false) this.#lose({ lost: 'lock', because: 'the lock file was removed or replaced' }, onLoss)
    else if (greatest !== undefined && greatest > epoch)
      this.#lose({ lost: 'epoch', because: `Redis knows epoch ${greatest}, and ours is ${epoch}` }, onLoss)
    else if (!this.#doubted) this.#lookedAt = begun
  }

  #lose(loss: Loss, onLoss: (loss: Loss) => void): void {
    this.#lost = true
    onLoss(loss)
  }
}

async function soon<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE)
  })
  return await Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
