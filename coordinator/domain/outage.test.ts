import { expect, test } from 'vitest'
import { Failure, type FailureCode } from '../contract/failure.ts'
import { engineAwayTooLong, waitsForEngine } from './outage.ts'
import { anOrder, NOW } from './testing.ts'

const order = anOrder('w1', { waitUntil: NOW + 1_000 })

test.each<[FailureCode, number, boolean]>([
  ['engine-unreachable', NOW, true],
  ['engine-unreachable', NOW + 999, true],
  ['engine-unreachable', NOW + 1_000, false],
  ['worker-failed', NOW, false],
  ['not-ready', NOW, false],
  ['interrupted', NOW, false],
])('an order that fails with %s at %i is tried again: %s', (code, now, expected) => {
  expect(waitsForEngine(order, new Failure(code, 'It failed.'), now)).toBe(expected)
})

test('one that has waited too long is told what it waited for', () => {
  const trouble = new Failure('engine-unreachable', 'It is away.', { hint: 'docker info' })
  expect(engineAwayTooLong(order, trouble)).toMatchObject({
    code: 'engine-unreachable',
    message: 'The Docker engine did not answer while worker "w1" could wait for it: It is away.',
    hint: 'docker info',
  })
})
