import { expect, test } from 'vitest'
import type { WorkerState } from '../contract/worker.ts'
import type { EngineState } from './container.ts'
import { workerState } from './lifecycle.ts'

/** Container → not ready; ready; ready and a stop was asked for. */
test.each<[EngineState, WorkerState, WorkerState, WorkerState]>([
  ['created', 'creating', 'creating', 'creating'],
  ['running', 'starting', 'running', 'stopping'],
  ['restarting', 'starting', 'running', 'stopping'],
  ['paused', 'paused', 'paused', 'paused'],
  ['removing', 'stopping', 'stopping', 'stopping'],
  ['exited', 'stopping', 'stopping', 'stopping'],
  ['dead', 'stopping', 'stopping', 'stopping'],
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
