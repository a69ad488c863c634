import type { RequestId } from '../contract/names.ts'
import { type Pull, pullWords } from '../contract/pull.ts'
import type { QueuedRequest } from '../contract/queue.ts'
import type { Underway } from './worker-view.ts'

/**
 * The requests that are on their way: those that are being started first, then those that wait for their image (`pulling`),
 * which have no place yet, then the line in which the others wait. `noRoom`: why the first of these is not let in; null when
 * that is not known.
 */
export function waitingLine(
  underway: readonly Underway[],
  noRoom: string | null,
  pulling: (request: RequestId) => Pull | undefined,
): QueuedRequest[] {
  const started = underway.filter(({ state }) => state !== 'queued')
  const queued = underway
    .filter(({ state }) => state === 'queued')
    .map((one) => ({ one, pull: pulling(one.order.request) }))
  const waiting = queued.filter(({ pull }) => pull === undefined).map(({ one }) => one)
  return [
    ...started.map((one) => ({ ...shown(one), position: null, waitUntil: null, because: null })),
    ...queued.flatMap(({ one, pull }) =>
      pull === undefined ? [] : [{ ...shown(one), position: null, waitUntil: null, because: pullWords(pull) }],
    ),
    ...waiting.map((one, index) => ({
      ...shown(one),
      position: index + 1,
      waitUntil: iso(one.order.waitUntil),
      because: one.because ?? (index > 0 ? behind(index) : (noRoom ?? busy(started.length))),
    })),
  ]
}

function shown({ order, state }: Underway): Pick<QueuedRequest, 'request' | 'name' | 'project' | 'state' | 'queuedAt'> {
  const { request, name, project, receivedAt } = order
  return { request, name, project: project.path, state, queuedAt: iso(receivedAt) }
}

function behind(others: number): string {
  return `behind ${others} ${others === 1 ? 'other' : 'others'}`
}

/** Without a bound on workers only so many starts at once stand in the way. */
function busy(starts: number): string | null {
  return starts === 0 ? null : `${starts} ${starts === 1 ? 'worker is' : 'workers are'} being started`
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
