import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { writeAtomically } from './atomic-file.ts'

const LENGTH = 32

/**
 * The key that queued requests are encrypted with (AES-256): made on first use, kept in the state directory.
 * Throws when the file is there and is no key: a new one would make queued requests unreadable.
 */
export async function loadKey(path: string): Promise<Buffer> {
  const existing = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (existing === undefined) {
    const key = randomBytes(LENGTH)
    await writeAtomically(path, key)
    return key
  }
  if (existing.length !== LENGTH)
    throw new Error(`${path} is not a key of ${LENGTH} bytes; move it away to have a new one made`)
  return existing
}
