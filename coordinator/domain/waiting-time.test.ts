import { expect, test } from 'vitest'
import { anOrder, NOW } from './testing.ts'
import { timeLeft, tooLate } from './waiting-time.ts'

const order = anOrder('w1', { waitUntil: NOW + 60_000 })

test.each([
  ['in time', 59_000, false, false],
  ['within the moment that being taken up takes', 60_500, false, false],
  ['after it', 61_001, false, true],
  ['after it, and begun before a coordinator died', 61_001, true, false],
])('a turn that comes %s', (_what, after, begun, late) => {
  expect(tooLate(order, begun, NOW + after)).toBe(late)
})

test('with --wait 0s there is a moment to find room in', () => {
  const hasty = anOrder('w1', { waitUntil: NOW })
  expect([timeLeft(hasty, NOW), timeLeft(order, NOW)]).toEqual([1_000, 60_000])
  expect(tooLate(hasty, false, NOW + timeLeft(hasty, NOW))).toBe(false)
})
