import type { RunMode } from '../contract/worker.ts'

const UNSET = new Set(['', '0', 'false'])

/**
 * Foreground or detached: an explicit flag beats the marker AGENTIC_IN_CONTAINER (empty, "0" and "false" count as
 * unset), which beats the default, foreground. An agent that runs inside a container must not block on its worker.
 */
export function runMode(flag: 'foreground' | 'detached' | undefined, marker: string | undefined): RunMode {
  if (flag !== undefined)
    return { mode: flag, because: flag === 'detached' ? '--detach was given' : '--foreground was given' }
  if (marker !== undefined && !UNSET.has(marker)) return { mode: 'detached', because: 'AGENTIC_IN_CONTAINER is set' }
  return { mode: 'foreground', because: 'neither a flag nor AGENTIC_IN_CONTAINER says otherwise' }
}
