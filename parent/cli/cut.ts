import { Failure } from '../../coordinator/contract/failure.ts'
import { errorCode } from './error-code.ts'

/**
 * The request may or may not have arrived, and no answer did; sending it again is right.
 * `absent`: nobody listens. `broken`: somebody did, and went away. `not-ready`: somebody says to come back later.
 */
export class Cut extends Error {
  readonly kind: 'absent' | 'broken' | 'not-ready'
  readonly failure: Failure | undefined

  constructor(kind: Cut['kind'], options: { cause?: unknown; failure?: Failure } = {}) {
    super(`cut off: ${kind}`, { cause: options.cause })
    this.name = 'Cut'
    this.kind = kind
    this.failure = options.failure
  }
}

/** What an error of the socket means. */
export function cutOf(error: unknown, socketPath: string): Error {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new Cut('absent', { cause: error })
    // EAGAIN: the listener's backlog is full (connect(2), unix sockets).
    case 'EAGAIN':
    case 'ECONNRESET':
    case 'EPIPE':
      return new Cut('broken', { cause: error })
    case 'EACCES':
      return new Failure('not-ready', `The control socket ${socketPath} may not be opened: permission denied.`, {
        hint: './hal9000 status',
        cause: error,
      })
    default:
      return Failure.from(error)
  }
}
