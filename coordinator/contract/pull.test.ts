import { expect, test } from 'vitest'
import { pullWords } from './pull.ts'

const MIB = 2 ** 20

test.each([
  [{ layers: 0, done: 0, bytes: 0, total: 0 }, 'pulling x:1'],
  [{ layers: 7, done: 3, bytes: 12 * MIB, total: 45 * MIB }, 'pulling x:1: 12 MiB of 45 MiB, 3 of 7 layers'],
  [{ layers: 7, done: 3, bytes: 12 * MIB, total: null }, 'pulling x:1: 12 MiB, 3 of 7 layers'],
  [{ layers: 1, done: 0, bytes: 0, total: null }, 'pulling x:1: 0 B, 0 of 1 layer'],
])('%j is told as it is known', (progress, words) => {
  expect(pullWords({ image: 'x:1', ...progress })).toBe(words)
})
