import type { Proof } from './end-process.ts'
import { type Identity, lookFor } from './identity.ts'
import { claimOf } from './lock.ts'

/**
 * Proves that the process in an owner record is that owner, now: the same process as was recorded, and the holder of the
 * lock of this state directory (its path without links), or of one that was removed under it.
 */
export async function prove(owner: Identity, home: string, proc = '/proc'): Promise<Proof> {
  const seen = await lookFor(owner, proc)
  switch (seen) {
    case 'gone':
    case 'another':
      return { is: 'gone' }
    case 'elsewhere':
      return { is: 'unproven', because: `process ${owner.pid} is of another boot or another container` }
    case 'alive':
    case 'stopped': {
      const claim = await claimOf(owner.pid, home, proc)
      if (claim === 'none') return { is: 'unproven', because: `process ${owner.pid} does not hold the lock of ${home}` }
      return { is: 'proven', stopped: seen === 'stopped' }
    }
  }
  return seen satisfies never
}
