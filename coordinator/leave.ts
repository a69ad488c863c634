import pino from 'pino'
import { FAILURES, Failure } from './contract/failure.ts'
import { keepEpoch } from './instance/epoch.ts'
import type { Loss } from './instance/hold.ts'

/** Ends this process at once, in the middle of whatever it does: the instance is not ours any more. */
export function leave(loss: Loss, log: pino.Logger): void {
  log.fatal({ lost: loss.lost }, `this coordinator has lost its instance and ends: ${loss.because}`)
  // By its code the service's finish script knows whether to start the next one.
  end(FAILURES[loss.lost === 'epoch' ? 'instance-locked' : 'not-ready'].exitCode)
}

/** Redis knows our epoch, or a greater one: the state directory is new, or an older copy. The next start goes above that. */
export async function startAbove(before: number, epoch: number, home: string, log: pino.Logger): Promise<void> {
  await keepEpoch(home, before)
  log.warn(`Redis knows epoch ${before}, and the state directory gave us ${epoch}: starting again above both`)
  end(FAILURES['not-ready'].exitCode)
}

/** Ends this process over what it cannot do without. */
export function fail(error: unknown): void {
  const failure = Failure.from(error)
  pino({ name: 'coordinator' }).fatal({ err: failure }, failure.message)
  // Connections may be open already, and a coordinator that does not serve must not keep the lock.
  end(failure.exitCode)
}

/** Ends this process. */
export function end(code: number): void {
  // Not by exitCode: what is under way would be gone on with until all of it has ended.
  // oxlint-disable-next-line unicorn/no-process-exit
  process.exit(code)
}
