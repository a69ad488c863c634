import { expect, test } from 'vitest'
import { parseSince } from './since.ts'

const NOW = Date.parse('2030-01-31T12:00:00Z')

test.each([
  ['10m', NOW - 600_000],
  ['1h30m', NOW - 5_400_000],
  ['45', NOW - 45_000],
  ['2030-01-31T11:00:00Z', NOW - 3_600_000],
  ['2030-01-31T12:00:00.250+01:00', NOW - 3_600_000 + 250],
  ['2030-01-31', Date.parse('2030-01-31')],
  ['99999d', 0],
])('%s', (text, expected) => {
  expect(parseSince(text, NOW)).toBe(expected)
})

test.each(['', 'yesterday', '10x', '2030-13-01', '12:00'])('%j is refused', (text) => {
  expect(() => parseSince(text, NOW)).toThrow(expect.objectContaining({ code: 'invalid-value' }))
})
