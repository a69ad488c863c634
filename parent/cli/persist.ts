import { Failure } from '../../coordinator/contract/failure.ts'
import { Cut } from './cut.ts'

export type Persistence = {
  now: () => number
  /** How long to go on over trouble in a row. Milliseconds. */
  patience: number
  /** When to give up whatever happens. Milliseconds from the first try. */
  deadline: number
  /** How long to go on while nobody listens at all. Milliseconds. */
  absentLimit: number
  /** Pause between tries. Milliseconds. */
  every: number
  signal: AbortSignal | undefined
  socketPath: string
}

/** An attempt that was held longer than this before it broke off was served: what cuts it is new trouble. Milliseconds. */
const SERVED = 2_000

/** Tries again after every Cut, until the patience is over; then throws what was wrong last as `not-ready`. */
export async function persist<T>(attempt: () => Promise<T>, options: Persistence): Promise<T> {
  const begun = options.now()
  let trouble: number | undefined
  let absent: number | undefined
  for (;;) {
    const started = options.now()
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Cut)) throw error
      const now = options.now()
      // A refusal that was long in coming served nobody; one that leaves has served until now.
      const served = (error.kind === 'broken' || error.kind === 'leaving') && now - started > SERVED
      trouble = trouble === undefined || served ? now : trouble
      absent = error.kind === 'absent' ? (absent ?? now) : undefined
      const over =
        now - trouble >= options.patience ||
        now - begun >= options.deadline ||
        (absent !== undefined && now - absent >= options.absentLimit)
      if (over) throw notReady(error, options.socketPath)
    }
    await pause(options.every, options.signal)
  }
}

/** Waits, or throws the signal's reason. Milliseconds. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(Failure.from(signal?.reason))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    if (signal?.aborted === true) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}

function notReady(cut: Cut, socketPath: string): Failure {
  if (cut.failure) return cut.failure
  const message =
    cut.kind === 'absent'
      ? `The coordinator is not running: nothing listens on ${socketPath}.`
      : 'The coordinator went away before it answered.'
  return new Failure('not-ready', message, { hint: './hal9000 status', cause: cut })
}
