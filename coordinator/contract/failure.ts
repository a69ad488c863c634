/**
 * The one table of how things fail: every code a person or a program can meet, with its exit code and meaning.
 * `docs/exit-codes.md` is generated from it; the exit codes are a promise (design, section 6).
 */
export const FAILURES = {
  unexpected: { exitCode: 1, meaning: 'Something failed that should not; the message and the logs say what.' },
  usage: { exitCode: 2, meaning: 'The command line is not understood.' },
  'invalid-value': { exitCode: 2, meaning: 'A value is out of range, of the wrong form, or does not fit the host.' },
  'no-terminal': { exitCode: 2, meaning: 'The command needs a terminal and has none.' },
  'engine-unreachable': { exitCode: 3, meaning: 'The Docker engine does not answer, or not in time.' },
  'not-ready': { exitCode: 4, meaning: 'The coordinator is not there or not ready yet.' },
  'not-found': { exitCode: 5, meaning: 'Nothing is known by that name.' },
  'image-missing': { exitCode: 5, meaning: 'The image is not on this host.' },
  'pull-failed': { exitCode: 5, meaning: 'The image could not be fetched from its registry.' },
  'project-missing': { exitCode: 5, meaning: 'The project directory does not exist on the host.' },
  ambiguous: { exitCode: 5, meaning: 'The name fits several workers; the message lists them.' },
  'name-in-use': { exitCode: 6, meaning: 'A worker of that name is there already in this project.' },
  'refused-by-policy': { exitCode: 7, meaning: 'The request is understood and not allowed.' },
  'queue-full': { exitCode: 8, meaning: 'Too many requests are waiting already.' },
  'queue-timeout': { exitCode: 8, meaning: 'The request waited for room longer than it may.' },
  'wrong-state': { exitCode: 9, meaning: 'The worker is in a state that does not allow this.' },
  'instance-locked': { exitCode: 10, meaning: 'Another coordinator holds this instance.' },
  'worker-failed': { exitCode: 125, meaning: 'The worker failed through our fault, not through its command.' },
  'command-not-executable': { exitCode: 126, meaning: 'The command was found but could not be executed.' },
  'command-not-found': { exitCode: 127, meaning: 'The command was not found in the worker.' },
  interrupted: { exitCode: 130, meaning: 'Interrupted before there was a result.' },
} as const satisfies Record<string, { exitCode: number; meaning: string }>

export type FailureCode = keyof typeof FAILURES

/** A failure as it travels: in `--json` output, over the control API and in a finished job. */
export type FailureShape = { code: FailureCode; exitCode: number; message: string; hint?: string }

/**
 * The one error type of the product. Made once at the boundary where the fact is known, translated once on the way out.
 * `message` states the fact; `hint` is the next step, a command that exists.
 */
export class Failure extends Error {
  readonly code: FailureCode
  readonly hint: string | undefined

  constructor(code: FailureCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.code = code
    this.hint = options.hint
  }

  get exitCode(): number {
    return FAILURES[this.code].exitCode
  }

  toShape(): FailureShape {
    return {
      code: this.code,
      exitCode: this.exitCode,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    }
  }

  /** A failure that travelled, or `unexpected` when what came is none. */
  static fromShape(shape: unknown): Failure {
    if (typeof shape !== 'object' || shape === null) return new Failure('unexpected', String(shape))
    const { code, message, hint }: { code?: unknown; message?: unknown; hint?: unknown } = shape
    if (!isFailureCode(code)) return new Failure('unexpected', JSON.stringify(shape))
    return new Failure(code, String(message), typeof hint === 'string' ? { hint } : {})
  }

  /** Any thrown thing as a Failure; what is not one becomes `unexpected` with its cause kept. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new Failure('unexpected', message, { cause: thrown })
  }
}

export function isFailureCode(code: unknown): code is FailureCode {
  return typeof code === 'string' && Object.hasOwn(FAILURES, code)
}
