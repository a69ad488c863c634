import type { Logger } from 'pino'
import { Failure } from '../contract/failure.ts'
import type { Owner } from '../contract/owner.ts'
import { endOwner } from './end-owner.ts'
import { readEnforcement } from './enforcement.ts'
import { nextEpoch } from './epoch.ts'
import { homeTrouble } from './home.ts'
import { identityOf } from './identity.ts'
import { type LockFile, ownLock } from './lock.ts'
import { readOwnerRecord, writeOwnerRecord } from './owner-record.ts'
import { prove } from './prove.ts'

type Taking = {
  /** The state directory, its path without links. */
  home: string
  instance: string
  version: string
  environment: Record<string, string | undefined>
  log: Logger
  /** Milliseconds since the epoch. */
  now: () => number
}

/**
 * Makes this process the owner of its instance: it has the kernel's lock, takes the next epoch and writes the owner record.
 * Fails with `instance-locked` without the lock, and with `not-ready` when the state directory takes nothing.
 */
export async function takeInstance(taking: Taking): Promise<{ owner: Owner; lock: LockFile }> {
  const { home, instance, version } = taking
  const lock = await ownLock(home)
  await endOutlived(taking)
  const startedAt = new Date(taking.now()).toISOString()
  try {
    const owner: Owner = {
      instance,
      epoch: await nextEpoch(home),
      ...(await identityOf(process.pid)),
      startedAt,
      version,
    }
    await writeOwnerRecord(home, owner)
    return { owner, lock }
  } catch (cause) {
    const trouble = await homeTrouble(home)
    throw trouble === undefined ? cause : new Failure('not-ready', trouble, { hint: './hal9000 logs', cause })
  }
}

/**
 * We hold the lock, so the owner in the record has ended; unless its lock file was removed while it was stopped. Then it is
 * ended where that is wanted, and ends by itself elsewhere as soon as it wakes.
 */
async function endOutlived({ home, environment, log }: Taking): Promise<void> {
  const record = await readOwnerRecord(home)
  if (record.found !== 'owner') return
  const { owner } = record
  const proof = await prove(owner, home)
  if (proof.is !== 'proven' || owner.pid === process.pid) return
  const { enforced, because } = await readEnforcement(home, environment)
  const predecessor = { pid: owner.pid, epoch: owner.epoch }
  log.warn({ predecessor, enforced, because }, 'a predecessor that has lost the lock is still there')
  if (!enforced) return
  await endOwner(owner, home)
  log.warn({ predecessor }, 'the predecessor was ended')
}
