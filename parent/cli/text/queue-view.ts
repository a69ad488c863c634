import type { QueuedRequest } from '../../../coordinator/contract/queue.ts'
import { age } from './age.ts'
import { printable } from './printable.ts'
import { table, type Column } from './table.ts'

const COLUMNS: readonly Column[] = [
  { title: 'POS' },
  { title: 'REQUEST' },
  { title: 'NAME', min: 8 },
  { title: 'STATE' },
  { title: 'PROJECT', min: 8, cut: 'start' },
  { title: 'AGE' },
  { title: 'LEFT' },
  { title: 'WAITS FOR', min: 10 },
]

/** As much of a request's id as other verbs need, and no two of a queue share. Characters. */
const ID = 12

/** Requests as a table; `limit` is the terminal's width in cells, `now` in milliseconds since the epoch. */
export function queueTable(requests: readonly QueuedRequest[], now: number, limit?: number): string {
  return table(
    COLUMNS,
    requests.map(({ position, request, name, state, project, queuedAt, waitUntil, because }) => [
      String(position ?? '-'),
      printable(request.slice(0, ID)),
      printable(name),
      state,
      printable(project),
      age(now - Date.parse(queuedAt)),
      waitUntil === null ? '-' : age(Date.parse(waitUntil) - now),
      printable(because ?? '-'),
    ]),
    limit,
  )
}
