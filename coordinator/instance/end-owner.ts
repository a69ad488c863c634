import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../contract/error-code.ts'
import type { Owner } from '../contract/owner.ts'
import { endProcess } from './end-process.ts'
import { prove } from './prove.ts'

/** Ends the owner of this state directory (its path without links): asked first, then killed, each time proven anew. */
export function endOwner(owner: Owner, home: string): Promise<void> {
  return endProcess({
    prove: () => prove(owner, home),
    signal: (name) => {
      try {
        process.kill(owner.pid, name)
      } catch (error) {
        if (errorCode(error) !== 'ESRCH') throw error
      }
    },
    pause: (milliseconds) => sleep(milliseconds),
    now: () => performance.now(),
  })
}
