import type { Readiness } from '../contract/worker.ts'

/** How long Redis may take at first until it counts as away. Milliseconds. */
const FIRST_CONTACT = 10_000

export type ReadinessFacts = {
  /** Whether anything that a spawn needs is away now. */
  hindered: boolean
  /** Whether the first look at the engine is over, well or badly. */
  looked: boolean
  /** Whether Redis has taken our epoch, which is the first thing it is told. */
  claimed: boolean
  /** Milliseconds since the start. */
  age: number
}

/** How a coordinator is that answers: whether it can spawn, cannot yet, or cannot for want of something. */
export function readiness({ hindered, looked, claimed, age }: ReadinessFacts): Readiness {
  if (!hindered) return 'ready'
  return !looked || (!claimed && age < FIRST_CONTACT) ? 'starting' : 'degraded'
}
