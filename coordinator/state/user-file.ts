import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../contract/failure.ts'

/** The user's settings, below the state directory. */
export const USER_FILE = 'config/hal9000.json'

/**
 * The text of the user's file; null when there is none. Fails with `invalid-value` when it cannot be read: what somebody
 * wrote down must not be left out in silence.
 */
export async function readUserFile(home: string): Promise<string | null> {
  try {
    return await readFile(join(home, USER_FILE), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure('invalid-value', `${USER_FILE} in the state directory cannot be read: ${why}.`, { cause: error })
  }
}
