import { expect, test } from 'vitest'
import { truncate, width } from './width.ts'

test.each([
  ['abc', 3],
  ['漢字', 4],
  ['🚀', 2],
  ['e\u0301', 1],
  ['…', 1],
])('%s is %i cells wide', (text, cells) => {
  expect(width(text)).toBe(cells)
})

test.each([
  ['/home/u/app', 20, 'start', '/home/u/app'],
  ['/home/u/app', 6, 'start', '…u/app'],
  ['sleep 100', 6, 'end', 'sleep…'],
  ['漢字漢字', 6, 'end', '漢字…'],
  ['abc', 1, 'end', '…'],
] as const)('%s in %i cells, cut at the %s: %s', (text, cells, where, expected) => {
  expect(truncate(text, cells, where)).toBe(expected)
})
