import { errorCode } from '../contract/error-code.ts'

/** Why nothing could be stored in the state directory, as a sentence, from what the file system said. */
export function diskTrouble(home: string, error: unknown): string {
  const why =
    REASONS[errorCode(error) ?? ''] ?? `cannot be written: ${error instanceof Error ? error.message : String(error)}`
  return `The state directory ${home} ${why}.`
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
