import { expect, test } from 'vitest'
import { AnswerFilter } from './answer-filter.ts'

const ESC = '\u001b'

test.each([
  [['abc'], 'abc', 0],
  [[`${ESC}[0n`], '', 1],
  [[`a${ESC}[0nb${ESC}[0nc`], 'abc', 2],
  [[`a${ESC}`, '[0', 'nb'], 'ab', 1],
  [[ESC, '[A'], `${ESC}[A`, 0],
  [[`${ESC}${ESC}[0n`], ESC, 1],
  [['\u00ff\u0000é'], '\u00ff\u0000é', 0],
])('%j → %j', (chunks, input, answers) => {
  const filter = new AnswerFilter()
  const parts = chunks.map((chunk) => filter.push(Buffer.from(chunk)))
  expect(Buffer.concat([...parts.map((part) => part.input), filter.flush()]).toString('utf8')).toBe(input)
  expect(parts.reduce((sum, part) => sum + part.answers, 0)).toBe(answers)
})

test('a lone ESC is kept until it is flushed', () => {
  const filter = new AnswerFilter()
  expect(filter.push(Buffer.from(ESC)).input).toHaveLength(0)
  expect(filter.keeping).toBe(true)
  expect(filter.flush().toString()).toBe(ESC)
  expect(filter.keeping).toBe(false)
})
