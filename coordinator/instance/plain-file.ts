import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { errorCode } from '../contract/error-code.ts'

export type PlainFile = { found: 'text'; text: string } | { found: 'nothing' } | { found: 'damage'; because: string }

/** A file that is replaced while it is read is opened again; nobody replaces it this often. */
const TRIES = 5

/**
 * Reads a small file of ours that others may have put something in the place of: no link is followed, nothing is waited
 * for (a fifo), and of what is too large not a byte is read. Never throws for what it finds. `limit` in bytes.
 */
export async function readPlainFile(path: string, limit: number): Promise<PlainFile> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const read = await readOnce(path, limit)
    if (read !== 'replaced') return read
  }
  return { found: 'damage', because: 'is replaced all the time' }
}

async function readOnce(path: string, limit: number): Promise<PlainFile | 'replaced'> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const facts = await file.stat()
    if (!facts.isFile()) return damage('is no regular file')
    // Without a name: another one took its place after we had opened it.
    if (facts.nlink === 0) return 'replaced'
    if (facts.nlink > 1) return damage(`has ${facts.nlink} names`)
    if (facts.uid !== process.geteuid?.()) return damage(`belongs to the user ${facts.uid}`)
    if (facts.size > limit) return damage(`is larger than ${limit} bytes`)
    return { found: 'text', text: await readBounded(file, limit) }
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return { found: 'nothing' }
    if (code === 'ELOOP') return damage('is a symbolic link')
    return damage(`cannot be read (${code ?? String(error)})`)
  }
}

/** It may grow after it was measured. */
async function readBounded(file: FileHandle, limit: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(limit), 0, limit, 0)
  return buffer.toString('utf8', 0, bytesRead)
}

function damage(because: string): PlainFile {
  return { found: 'damage', because }
}
