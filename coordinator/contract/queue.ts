import type { Worker } from './worker.ts'

/** A request that is on its way to a worker, as `queue` shows it. Times are ISO 8601 UTC. */
export type QueuedRequest = {
  /** Place in the line, from 1; null while its image is pulled, and once it is being started. */
  position: number | null
  request: string
  name: string
  project: string
  state: 'queued' | 'creating' | 'starting'
  queuedAt: string
  /** Until when it may wait; null while its image is pulled, and once it is being started. */
  waitUntil: string | null
  /** Why it waits; null once it is being started, and while nothing is known to be in its way. */
  because: string | null
}

/** The answer to `queue`: first come, first served. */
export type QueueResult = { requests: QueuedRequest[] }

/** The answer to `queue cancel`: the worker that will not be. */
export type CancelResult = { worker: Worker; notices: string[] }
