import { statSync } from 'node:fs'

/**
 * Whether the engine's socket, as it is mounted here, was replaced on the host: an engine that is restarted makes a new
 * file, and a bind mount keeps the old one, which has no name any more. Only a new start of this container mounts the new one.
 */
export function isReplaced(socketPath: string): boolean {
  try {
    return statSync(socketPath).nlink === 0
  } catch {
    return false
  }
}
