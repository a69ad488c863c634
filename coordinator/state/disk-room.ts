import { statfs } from 'node:fs/promises'
import { Failure } from '../contract/failure.ts'

/** What there must be for the records of a spawn and for what Redis appends. Bytes. */
const LEAST = 2 ** 20

/** Whether the state directory has no room for one more spawn; false where that cannot be told. One system call. */
export async function isFull(home: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(home).catch(() => ({ bavail: Number.POSITIVE_INFINITY, bsize: 1 }))
  return bavail * bsize < LEAST
}

/** Fails with `not-ready` where it has none. */
export async function checkDiskRoom(home: string): Promise<void> {
  if (!(await isFull(home))) return
  throw new Failure('not-ready', `The state directory ${home} is full.`, {
    hint: 'make room or mend it; coordinator status',
  })
}
