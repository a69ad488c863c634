import { expect, test } from 'vitest'
import type { WorkerState } from '../contract/worker.ts'
import type { EngineState } from './container.ts'
import { mayMove, workerState } from './lifecycle.ts'

const STATES: WorkerState[] = ['queued', 'creating', 'starting', 'running', 'paused', 'stopping', 'lost', 'ended']

test('a worker moves exactly as the design says', () => {
  const moves = STATES.map((from) => `${from} → ${STATES.filter((to) => mayMove(from, to)).join(' | ')}`)
  // Design, section 6; the states on the right in the order of STATES.
  expect(moves).toEqual([
    'queued → creating | ended',
    'creating → starting | ended',
    'starting → running | ended',
    'running → paused | stopping | lost | ended',
    'paused → running | stopping | ended',
    'stopping → ended',
    'lost → running | ended',
    'ended → ',
  ])
})

/** Container → not ready; ready; ready and a stop was asked for. */
test.each<[EngineState, WorkerState, WorkerState, WorkerState]>([
  ['created', 'creating', 'creating', 'creating'],
  ['running', 'starting', 'running', 'stopping'],
  ['restarting', 'starting', 'running', 'stopping'],
  ['paused', 'paused', 'paused', 'paused'],
  ['removing', 'ended', 'ended', 'ended'],
  ['exited', 'ended', 'ended', 'ended'],
  ['dead', 'ended', 'ended', 'ended'],
])('a %s container: %s; ready: %s; asked to stop: %s', (container, fresh, ready, stopped) => {
  expect([
    workerState(container, { ready: false, stop: false }),
    workerState(container, { ready: true, stop: false }),
    workerState(container, { ready: true, stop: true }),
  ]).toEqual([fresh, ready, stopped])
})

test('a stop that comes before ready counts', () => {
  expect(workerState('running', { ready: false, stop: true })).toBe('stopping')
})
