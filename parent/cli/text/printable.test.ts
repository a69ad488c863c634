import { expect, test } from 'vitest'
import { commandText, printable } from './printable.ts'

test.each([
  ['w1', 'w1'],
  ['a\u001b[31mb', String.raw`a\x1b[31mb`],
  ['a\nb\tc\r', String.raw`a\nb\tc\r`],
  ['a\u202eb', String.raw`a\u202eb`],
  ['Ü 漢', 'Ü 漢'],
])('%j prints as %s', (text, expected) => {
  expect(printable(text)).toBe(expected)
})

test('a command prints as one would type it', () => {
  expect(commandText(['sh', '-c', "echo 'hi'", '', 'a b', 'x=1'])).toBe(
    String.raw`sh -c 'echo '\''hi'\''' '' 'a b' x=1`,
  )
})
