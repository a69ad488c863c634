import { expect, test } from 'vitest'
import { readiness, type ReadinessFacts } from './readiness.ts'

const WELL: ReadinessFacts = { hindered: false, looked: true, claimed: true, age: 60_000 }

test.each<[string, Partial<ReadinessFacts>, string]>([
  ['nothing is away', {}, 'ready'],
  ['nothing is away, however young it is', { age: 0 }, 'ready'],
  ['something is away that was there', { hindered: true }, 'degraded'],
  ['the engine has not been looked at', { hindered: true, looked: false, age: 100 }, 'starting'],
  ['nor has it after long: the first look takes its deadlines', { hindered: true, looked: false }, 'starting'],
  ['Redis was not reached yet', { hindered: true, claimed: false, age: 9_999 }, 'starting'],
  ['Redis was never there', { hindered: true, claimed: false, age: 10_000 }, 'degraded'],
])('%s', (_what, facts, expected) => {
  expect(readiness({ ...WELL, ...facts })).toBe(expected)
})
