import { expect, test } from 'vitest'
import type { QueuedRequest } from '../../../coordinator/contract/queue.ts'
import { queueTable } from './queue-view.ts'

const NOW = Date.parse('2030-01-01T00:01:00Z')

function waiting(change: Partial<QueuedRequest> = {}): QueuedRequest {
  return {
    position: 1,
    request: 'r0123456789abcdef01234567',
    name: 'second',
    project: '/home/u/work',
    state: 'queued',
    queuedAt: '2030-01-01T00:00:57Z',
    waitUntil: '2030-01-01T01:01:57Z',
    because: '1 of 1 workers run (HAL9000_MAX_WORKERS)',
    ...change,
  }
}

const started = waiting({ position: null, name: 'first', state: 'starting', waitUntil: null, because: null })

test('what is being started, and the line', () => {
  expect(queueTable([started, waiting(), waiting({ position: 2, because: 'behind 1 other' })], NOW)).toBe(
    `POS  REQUEST       NAME    STATE     PROJECT       AGE  LEFT  WAITS FOR
-    r0123456789a  first   starting  /home/u/work  3 s  -     -
1    r0123456789a  second  queued    /home/u/work  3 s  1 h   1 of 1 workers run (HAL9000_MAX_WORKERS)
2    r0123456789a  second  queued    /home/u/work  3 s  1 h   behind 1 other
`,
  )
})

test('on 80 cells ids, states and times stay', () => {
  const [, line = ''] = queueTable([waiting({ project: '/home/u/somewhere/deep/work' })], NOW, 80).split('\n')
  expect(line).toMatch(/^1 {4}r0123456789a {2}second {2}queued {2}….*work {2}3 s {2}1 h {3}1 of 1 w.*…$/)
  expect(line.length).toBeLessThanOrEqual(80)
})

test('nobody waits: the titles alone', () => {
  expect(queueTable([], NOW, 80)).toBe('POS  REQUEST  NAME  STATE  PROJECT  AGE  LEFT  WAITS FOR\n')
})
