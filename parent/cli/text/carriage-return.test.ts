import { expect, test } from 'vitest'
import { CarriageReturnDropper } from './carriage-return.ts'

test.each([
  [['a\r\nb\r\n'], 'a\nb\n'],
  [['a\r', '\nb'], 'a\nb'],
  [['10%\r20%\r\n'], '10%\r20%\n'],
  [['a\r\r\nb'], 'a\r\nb'],
  [['a\r'], 'a\r'],
])('%j becomes %j', (chunks, expected) => {
  const dropper = new CarriageReturnDropper()
  const out = chunks.map((chunk) => dropper.push(Buffer.from(chunk)))
  expect(Buffer.concat([...out, dropper.end()]).toString()).toBe(expected)
})
