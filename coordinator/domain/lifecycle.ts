import type { WorkerState } from '../contract/worker.ts'
import type { EngineState } from './container.ts'

/** The only moves there are (design, section 6). */
const MOVES: Record<WorkerState, readonly WorkerState[]> = {
  queued: ['creating', 'ended'],
  creating: ['starting', 'ended'],
  starting: ['running', 'ended'],
  running: ['stopping', 'paused', 'ended', 'lost'],
  paused: ['running', 'stopping', 'ended'],
  stopping: ['ended'],
  lost: ['running', 'ended'],
  ended: [],
}

export function mayMove(from: WorkerState, to: WorkerState): boolean {
  return MOVES[from].includes(to)
}

/** A worker's state out of its container's, and of what was asked of it. */
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
      return 'ended'
  }
}
