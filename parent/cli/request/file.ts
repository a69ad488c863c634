import { readFileSync, statSync } from 'node:fs'
import { Failure } from '../../../coordinator/contract/failure.ts'
import { errorCode } from '../error-code.ts'

/** A secret of 750,000 bytes is the most that a request carries as base64. */
const MOST_BYTES = 750_000

/** What a file that an option names contains. Throws `invalid-value` when it cannot be read or is too large. */
export function readOptionFile(path: string, option: string): Buffer {
  try {
    const stat = statSync(path)
    if (!stat.isFile() && !stat.isFIFO()) throw new Error('it is not a file')
    if (stat.size > MOST_BYTES) throw new Error(`it has ${stat.size} bytes, and ${MOST_BYTES} is the most`)
    return readFileSync(path)
  } catch (cause) {
    throw new Failure('invalid-value', `${option} file "${path}" cannot be read in the parent: ${reason(cause)}.`, {
      hint: 'use a file below a directory that the parent sees: ./hal9000 status',
      cause,
    })
  }
}

function reason(error: unknown): string {
  const code = errorCode(error)
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission denied'
  return error instanceof Error ? error.message : String(error)
}
