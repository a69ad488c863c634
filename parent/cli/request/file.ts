import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { Failure } from '../../../coordinator/contract/failure.ts'
import { errorCode } from '../../../coordinator/contract/error-code.ts'

/** A secret of 750,000 bytes is the most that a request carries as base64. */
const MOST_BYTES = 750_000

/** What a file that an option names contains. Throws `invalid-value` when it cannot be read or is too large. */
export function readOptionFile(path: string, option: string): Buffer {
  let descriptor: number | undefined
  try {
    // Not by a link: a project's own ".env" could lead to a file that only root may read.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const facts = fstatSync(descriptor)
    const { size } = facts
    if (!facts.isFile()) throw new Error('it is not a file')
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, and ${MOST_BYTES} is the most`)
    return readFileSync(descriptor)
  } catch (cause) {
    throw new Failure('invalid-value', `${option} file "${path}" cannot be read in the parent: ${reason(cause)}.`, {
      hint: 'use a file below a directory that the parent sees: ./hal9000 status',
      cause,
    })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function reason(error: unknown): string {
  const code = errorCode(error)
  if (code === 'ELOOP') return 'it is a link; name the file itself'
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission denied'
  return error instanceof Error ? error.message : String(error)
}
