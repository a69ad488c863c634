import { mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../contract/failure.ts'
import { diskTrouble } from '../state/disk-trouble.ts'

/** As much as a record takes: a disk may be full for data while it still takes names. Bytes. */
const PROBE = 4096

/** Why nothing can be stored in the state directory, as a sentence; undefined when it can. Tried, not guessed. */
export async function homeTrouble(home: string): Promise<string | undefined> {
  let directory: string | undefined
  try {
    directory = await mkdtemp(join(home, '.probe-'))
    await writeSynced(join(directory, 'file'))
    return undefined
  } catch (error) {
    return diskTrouble(home, error)
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true }).catch(() => {})
  }
}

/** What keeps the embedded Redis from storing anything: its disk, if it is that, and else what it came to. */
export async function explainedByHome(failure: Failure, home: string): Promise<Failure> {
  if (failure.code !== 'not-ready') return failure
  const trouble = await homeTrouble(home)
  if (trouble === undefined) return failure
  return new Failure('not-ready', trouble, { hint: 'make room or mend it; coordinator status', cause: failure })
}

async function writeSynced(path: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.write(Buffer.alloc(PROBE))
  await file.sync()
}
