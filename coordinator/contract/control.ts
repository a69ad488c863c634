/**
 * The control API: HTTP over a unix socket. Plain constants, so that commands need nothing but this file to speak it.
 * Every failure is answered as `{ schemaVersion, error: FailureShape }` with the HTTP status of its kind.
 */
export const DEFAULT_SOCKET = '/run/hal9000/control.sock'

/** Most that a command can be given as its input. Bytes. */
export const MAX_INPUT = 8 * 1024 * 1024

export const ROUTE = {
  ready: '/v1/ready',
  status: '/v1/status',
  owner: '/v1/owner',
  reconcile: '/v1/reconcile',
  workers: '/v1/workers',
  /** PUT: the input of the request of that id, as raw bytes, before the request itself. */
  input: '/v1/inputs/:id',
  stopAll: '/v1/workers/stop',
  worker: '/v1/workers/:ref',
  stop: '/v1/workers/:ref/stop',
  remove: '/v1/workers/:ref/remove',
  wait: '/v1/workers/:ref/wait',
  logs: '/v1/workers/:ref/logs',
  stats: '/v1/workers/:ref/stats',
  attach: '/v1/workers/:ref/attach',
  resize: '/v1/attachments/:id/size',
  attachment: '/v1/attachments/:id',
  hangUp: '/v1/attachments/:id/hang-up',
  outcome: '/v1/attachments/:id/outcome',
  events: '/v1/events',
  queue: '/v1/queue',
  cancel: '/v1/queue/:ref/cancel',
  /** The image that the request of that id waits for, and how far it is. */
  pull: '/v1/pulls/:id',
  statsAll: '/v1/stats',
} as const

/** Of an answer to `events` that begins with none: the id after which its reader goes on when it breaks off. */
export const AFTER_HEADER = 'hal9000-after'

/** Of a stream that could not go on: the failure that ended it (FailureShape), escaped. A stream that is only cut may be asked for again. */
export const FAILURE_TRAILER = 'hal9000-failure'

/**
 * The word of a coordinator that leaves: whoever asks again reaches the next one. A header of refusals, and the trailer of
 * a stream that was followed and is not at its end; there its value is where to go on (`after`).
 */
export const LEAVING_HEADER = 'hal9000-leaving'

/** A route's path for one worker reference; "dir/name" travels escaped. */
export function routeFor(route: string, ref: string): string {
  return route.replace(/:(ref|id)/, encodeURIComponent(ref))
}
