import type { WorkerState } from '../contract/worker.ts'
import type { EngineState } from './container.ts'

/**
 * A worker's state out of its container's and of what was asked of it, while it has no exit record: `ended` has a reason, so
 * a container that has ended is `stopping` until its record is written.
 */
export function workerState(container: EngineState, asked: { ready: boolean; stop: boolean }): WorkerState {
  switch (container) {
    case 'created':
      return 'creating'
    case 'running':
    case 'restarting':
      if (asked.stop) return 'stopping'
      return asked.ready ? 'running' : 'starting'
    case 'paused':
      return 'paused'
    case 'removing':
    case 'exited':
    case 'dead':
      return 'stopping'
  }
}

/** Whether the container's processes are there. */
export function isAlive(container: EngineState): boolean {
  return container === 'running' || container === 'restarting' || container === 'paused'
}
