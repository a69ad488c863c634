import { mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../contract/error-code.ts'

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
    return `The state directory ${home} ${reason(error)}.`
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true }).catch(() => {})
  }
}

async function writeSynced(path: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.write(Buffer.alloc(PROBE))
  await file.sync()
}

const REASONS: Record<string, string> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is no directory',
  EROFS: 'is read-only',
  ENOSPC: 'is full',
  EDQUOT: 'is full',
  EACCES: 'may not be written by this process',
  EPERM: 'may not be written by this process',
}

function reason(error: unknown): string {
  return (
    REASONS[errorCode(error) ?? ''] ?? `cannot be written: ${error instanceof Error ? error.message : String(error)}`
  )
}
