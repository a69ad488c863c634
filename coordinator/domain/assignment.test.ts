import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeAssignment } from './assignment.ts'
import { anOrder } from './testing.ts'

/** The entries as worker/assignment.sh reads them: NUL-terminated, split at the first "=". */
function entries(assignment: Buffer): [string, string][] {
  expect(assignment.at(-1)).toBe(0)
  return assignment
    .toString()
    .split('\0')
    .slice(0, -1)
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])
}

test('an assignment says who, where and what, and its end last', () => {
  const order = anOrder('w1', {
    env: { A: '1', B: 'x=y' },
    secrets: { token: 'c2VjcmV0' },
    command: ['sh', '-c', 'echo "$A"'],
  })
  expect(entries(encodeAssignment(order))).toEqual([
    ['hal9000', '1'],
    ['name', 'w1'],
    ['project', '/home/me/proj'],
    ['identity', '66306:42'],
    ['uid', '1000'],
    ['gid', '1000'],
    ['mode', 'session'],
    ['size', '80x24'],
    ['term', 'xterm-256color'],
    ['env', 'A=1'],
    ['env', 'B=x=y'],
    ['secret', 'token=c2VjcmV0'],
    ['arg', 'sh'],
    ['arg', '-c'],
    ['arg', 'echo "$A"'],
    ['end', ''],
  ])
})

test('every word of a command arrives as it was given, whatever it looks like', () => {
  const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.constantFrom('end=', 'arg=x', '', '\n', ';')), { minLength: 1 }),
      (command) => {
        const read = entries(encodeAssignment(anOrder('w1', { command })))
        expect(read.filter(([key]) => key === 'arg').map(([, value]) => value)).toEqual(command)
        expect(read.at(-1)).toEqual(['end', ''])
        expect(read.filter(([key]) => key === 'end')).toHaveLength(1)
      },
    ),
  )
})

test('an input is in it byte for byte, behind its length and before everything that it could be taken for', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.constantFrom('', '\0', 'end=\0', 'x\0arg=rm\0end=\0', '\n').map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(bytes, (input) => {
      const told = encodeAssignment(anOrder('w1', { input: input.length }), input)
      const head = Buffer.from(`hal9000=1\0input=${input.length}\0`)
      expect(told.subarray(0, head.length)).toEqual(head)
      expect(told.subarray(head.length, head.length + input.length)).toEqual(input)
      const rest = encodeAssignment(anOrder('w1')).subarray('hal9000=1\0'.length)
      expect(told.subarray(head.length + input.length)).toEqual(rest)
    }),
  )
})

test.each([
  ['missing', 3, null],
  ['shorter', 3, Buffer.from('ab')],
  ['longer', 3, Buffer.from('abcd')],
  ['nobody’s', null, Buffer.alloc(0)],
])('an input that is %s is never sent for what was announced', (_what, announced, input) => {
  expect(() => encodeAssignment(anOrder('w1', { input: announced }), input)).toThrow(/not as long as it was announced/)
})
