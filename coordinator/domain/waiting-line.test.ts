import { expect, test } from 'vitest'
import type { Pull } from '../contract/pull.ts'
import { anOrder, NOW } from './testing.ts'
import { waitingLine } from './waiting-line.ts'
import type { Underway } from './worker-view.ts'

const FULL = '1 of 1 workers run (HAL9000_MAX_WORKERS)'

function underway(name: string, state: Underway['state']): Underway {
  return { order: anOrder(name), state }
}

/** The line as text, without what every entry has. */
function render(
  entries: readonly Underway[],
  noRoom: string | null,
  pulls: ReadonlyMap<string, Pull> = new Map(),
): string {
  return waitingLine(entries, noRoom, (request) => pulls.get(request))
    .map(({ position, name, state, because }) => `${position ?? '-'} ${name} ${state}: ${because ?? '-'}\n`)
    .join('')
}

test('those that are being started come first, the others wait in their order, each behind those before', () => {
  const line = [
    underway('w1', 'starting'),
    underway('w2', 'queued'),
    underway('w3', 'creating'),
    underway('w4', 'queued'),
    underway('w5', 'queued'),
  ]
  expect(render(line, FULL)).toBe(
    `- w1 starting: -\n- w3 creating: -\n1 w2 queued: ${FULL}\n2 w4 queued: behind 1 other\n3 w5 queued: behind 2 others\n`,
  )
})

test('one that waits for something else says so, wherever it stands', () => {
  const away = 'the Docker engine does not answer'
  const line = [underway('w1', 'queued'), { ...underway('w2', 'queued'), because: away }, underway('w3', 'queued')]
  expect(render(line, null)).toBe(`1 w1 queued: -\n2 w2 queued: ${away}\n3 w3 queued: behind 2 others\n`)
})

test.each([
  [['queued'], '1 w0 queued: -\n'],
  [['starting', 'queued'], '- w0 starting: -\n1 w1 queued: 1 worker is being started\n'],
  [
    ['starting', 'creating', 'queued'],
    '- w0 starting: -\n- w1 creating: -\n1 w2 queued: 2 workers are being started\n',
  ],
  [[], ''],
] as const)('while room is not what is missing, %j', (states, expected) => {
  const line = states.map((state, index) => underway(`w${index}`, state))
  expect(render(line, null)).toBe(expected)
})

test('those that wait for their images hold no place', () => {
  const line = [underway('w1', 'queued'), underway('w2', 'queued'), underway('w3', 'queued')]
  const pull = { image: 'x:1', layers: 2, done: 1, bytes: 1024, total: null }
  expect(render(line, FULL, new Map([[anOrder('w1').request, pull]]))).toBe(
    `- w1 queued: pulling x:1: 1 KiB, 1 of 2 layers\n1 w2 queued: ${FULL}\n2 w3 queued: behind 1 other\n`,
  )
})

test('an entry has its request, its project and its times; one that is being started has none to wait', () => {
  const [started, waiting] = waitingLine([underway('w1', 'queued'), underway('w2', 'starting')], FULL, () => undefined)
  expect(waiting).toEqual({
    position: 1,
    request: 'r-w10000',
    name: 'w1',
    project: '/home/me/proj',
    state: 'queued',
    queuedAt: new Date(NOW).toISOString(),
    waitUntil: new Date(NOW + 60_000).toISOString(),
    because: FULL,
  })
  expect(started).toMatchObject({ name: 'w2', position: null, waitUntil: null, because: null })
})
