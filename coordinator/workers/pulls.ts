import { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { Pull, PullProgress } from '../contract/pull.ts'
import { formatTimeLimit } from '../contract/units.ts'
import { pullFailed, withTag } from '../domain/image-reference.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import type { Context } from './context.ts'
import { SingleFlight } from './single-flight.ts'

export type PullsOptions = {
  /** How long a pull may go without a sign of life. Milliseconds. */
  stall: number
  /** How many requests may wait for their images. */
  most: number
}

const NOTHING_YET: PullProgress = { layers: 0, done: 0, bytes: 0, total: 0 }

type Waiting = { image: string; leave: AbortController }

/**
 * Pulls of images: one for an image at a time, however many requests wait for it. A pull may take as long as it needs, as
 * long as it moves.
 */
export class Pulls {
  readonly #context: Pick<Context, 'engine' | 'note' | 'stillHeld'>
  readonly #options: PullsOptions
  readonly #flights = new SingleFlight<string, void>()
  /** Who waits for which image, and how to end that. */
  readonly #waiting = new Map<RequestId, Waiting>()
  readonly #progress = new Map<string, PullProgress>()

  constructor(context: Pick<Context, 'engine' | 'note' | 'stillHeld'>, options: PullsOptions) {
    this.#context = context
    this.#options = options
  }

  /**
   * Returns when the order's image was pulled. Fails with `pull-failed`, with `queue-full` where too many wait already, or as
   * `cancel` or the signal says: then the pull goes on for the others that wait for it, or ends.
   */
  async pull({ request, image: reference }: SpawnOrder, signal: AbortSignal): Promise<void> {
    const { most } = this.#options
    if (this.#waiting.size >= most) {
      throw new Failure('queue-full', `${most} requests wait for their images already (HAL9000_MAX_QUEUE).`, {
        hint: 'try again later; coordinator queue',
      })
    }
    const image = withTag(reference)
    const leave = new AbortController()
    this.#waiting.set(request, { image, leave })
    try {
      await this.#flights.join(image, AbortSignal.any([signal, leave.signal]), (abandoned) =>
        this.#fetch(image, abandoned),
      )
    } finally {
      this.#waiting.delete(request)
    }
  }

  /** The image that a request waits for; undefined when it does not. */
  of(request: RequestId): Pull | undefined {
    const image = this.#waiting.get(request)?.image
    return image === undefined ? undefined : { image, ...(this.#progress.get(image) ?? NOTHING_YET) }
  }

  /** Takes back a request that waits for its image; false when it does not. */
  cancel(request: RequestId, failure: Failure): boolean {
    this.#waiting.get(request)?.leave.abort(failure)
    return this.#waiting.delete(request)
  }

  async #fetch(image: string, abandoned: AbortSignal): Promise<void> {
    const { engine, stillHeld } = this.#context
    const { stall } = this.#options
    const standstill = new AbortController()
    const timer = setTimeout(() => standstill.abort(pullFailed(image, nothingCame(stall))), stall)
    const heard = (progress: PullProgress): void => {
      timer.refresh()
      this.#progress.set(image, progress)
    }
    try {
      await stillHeld()
      this.#tell('image-pulling', image)
      await engine.pull(image, heard, AbortSignal.any([abandoned, standstill.signal]))
      this.#tell('image-pulled', image)
    } catch (error) {
      this.#tell('image-pull-failed', abandoned.aborted ? `${image}: nobody waits for it any more` : messageOf(error))
      throw error
    } finally {
      clearTimeout(timer)
      this.#progress.delete(image)
    }
  }

  #tell(kind: 'image-pulling' | 'image-pulled' | 'image-pull-failed', message: string): void {
    this.#context.note({ kind, worker: null, project: null, request: null, message })
  }
}

function messageOf(error: unknown): string {
  return Failure.from(error).message
}

function nothingCame(stall: number): string {
  return `nothing came for ${formatTimeLimit(stall)} (HAL9000_PULL_STALL).`
}
