import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../contract/error-code.ts'
import { Failure } from '../contract/failure.ts'

/** The file whose kernel lock makes its holder the one coordinator of this state directory. Never removed by us. */
export const LOCK_FILE = 'coordinator.lock'

/** How a process holds the lock: `lost` = on a file that has no name any more, so that another may hold the new one. */
export type Claim = 'held' | 'lost' | 'none'

/** The inode that a lock is on. */
export type LockFile = { dev: number; ino: number }

/**
 * Whether a process holds the lock of this state directory (its path without links), as the kernel tells it: one of its
 * open files is the lock file, and has the lock. Looks at the open files of that one process.
 */
export async function claimOf(pid: number | 'self', home: string, proc = '/proc'): Promise<Claim> {
  return (await lockedBy(pid, home, proc))?.claim ?? 'none'
}

/**
 * The lock that this process was started with. Fails with `instance-locked` when it holds none: somebody else may be the
 * coordinator of this state directory.
 */
export async function ownLock(home: string): Promise<LockFile> {
  const found = await lockedBy('self', home, '/proc')
  if (found?.claim === 'held') return found.file
  throw new Failure('instance-locked', `This process was not started with the lock of ${join(home, LOCK_FILE)}.`, {
    hint: 'coordinator daemon start',
  })
}

/** Whether the lock file is still the one that was locked; undefined when that cannot be told now. */
export async function isIntact(home: string, locked: LockFile): Promise<boolean | undefined> {
  try {
    const { dev, ino } = await lstat(join(home, LOCK_FILE))
    return dev === locked.dev && ino === locked.ino
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '') ? false : undefined
  }
}

async function lockedBy(
  pid: number | 'self',
  home: string,
  proc: string,
): Promise<{ claim: 'held' | 'lost'; file: LockFile } | undefined> {
  const path = join(home, LOCK_FILE)
  const files = join(proc, String(pid), 'fd')
  for (const descriptor of await readdir(files).catch(() => [])) {
    const opened = join(files, descriptor)
    const target = await readlink(opened).catch(() => '')
    if (target !== path && target !== `${path} (deleted)`) continue
    const facts = await stat(opened).catch(() => undefined)
    const information = await readFile(join(proc, String(pid), 'fdinfo', descriptor), 'utf8').catch(() => '')
    if (facts === undefined || !/^lock:.*\bFLOCK\s+ADVISORY\s+WRITE\b/m.test(information)) continue
    return { claim: facts.nlink > 0 ? 'held' : 'lost', file: { dev: facts.dev, ino: facts.ino } }
  }
  return undefined
}
