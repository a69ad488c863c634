import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from '../../coordinator/contract/failure.ts'
import { errorCode } from '../../coordinator/contract/error-code.ts'

/**
 * The request may or may not have arrived, and no answer did; sending it again is right.
 * `absent`: nobody listens. `broken`: somebody did, and went away; `leaving`: and says so. `not-ready`: somebody says to
 * come back later.
 */
export class Cut extends Error {
  readonly kind: 'absent' | 'broken' | 'leaving' | 'not-ready'
  readonly failure: Failure | undefined

  constructor(kind: Cut['kind'], options: { cause?: unknown; failure?: Failure } = {}) {
    super(`cut off: ${kind}`, { cause: options.cause })
    this.name = 'Cut'
    this.kind = kind
    this.failure = options.failure
  }
}

const ABSENT = new Set(['ENOENT', 'ECONNREFUSED'])
/** EAGAIN: the listener's backlog is full (connect(2), unix sockets). */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'EAGAIN'])

/** What an error of the socket means. */
export function cutOf(error: unknown, socketPath: string): Error {
  const code = errorCode(error) ?? ''
  if (ABSENT.has(code)) return keptDown(socketPath) ?? new Cut('absent', { cause: error })
  if (BROKEN.has(code)) return new Cut('broken', { cause: error })
  if (code !== 'EACCES') return Failure.from(error)
  return new Failure('not-ready', `The control socket ${socketPath} may not be opened: permission denied.`, {
    hint: './hal9000 status',
    cause: error,
  })
}

/** s6 keeps a service down that has this file, and `coordinator daemon stop` makes it: nobody to wait for. */
function keptDown(socketPath: string): Failure | undefined {
  if (!existsSync(join(dirname(socketPath), 'service', 'coordinator', 'down'))) return undefined
  return new Failure('not-ready', 'The coordinator was stopped, and is kept down until it is started.', {
    hint: 'coordinator daemon start',
    cause: new Cut('absent'),
  })
}
