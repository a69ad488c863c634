import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DetachWatch, parseDetachKeys } from './detach-keys.ts'

test.each([
  ['ctrl-p,ctrl-q', [16, 17]],
  ['ctrl-@', [0]],
  ['ctrl-[', [27]],
  ['ctrl-_', [31]],
  ['a,Z,9', [97, 90, 57]],
  ['CTRL-B,d', [2, 100]],
])('%s', (text, bytes) => {
  expect([...parseDetachKeys(text).bytes]).toEqual(bytes)
})

test.each(['', 'ctrl-', 'ab', 'ctrl-p,', 'ctrl-1', ' ', '*', 'é'])('"%s" are no keys', (text) => {
  expect(() => parseDetachKeys(text)).toThrow('such as ctrl-p,ctrl-q')
})

/** What is passed on when the chunks are typed, and whether the keys were seen. */
function typed(keys: string, chunks: readonly string[]): [string, boolean] {
  const watch = new DetachWatch(parseDetachKeys(keys))
  let passed = ''
  for (const chunk of chunks) {
    const { input, leave } = watch.push(Buffer.from(chunk, 'latin1'))
    passed += input.toString('latin1')
    if (leave) return [passed, true]
  }
  return [passed, false]
}

test('keys in pieces are found, and what only began like them is passed on', () => {
  expect(typed('ctrl-p,ctrl-q', ['ab\x10', '\x11cd'])).toEqual(['ab', true])
  expect(typed('ctrl-p,ctrl-q', ['ab\x10', 'x'])).toEqual(['ab\x10x', false])
  expect(typed('ctrl-p,ctrl-q', ['\x10', '\x10', '\x11'])).toEqual(['\x10', true])
  expect(typed('a,a,b', ['aaab'])).toEqual(['a', true])
})

test('however it is cut, the same is passed on', () => {
  const key = fc.constantFrom('a', 'b', 'c')
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), fc.array(fc.string({ unit: key })), (keys, chunks) => {
      const whole = chunks.join('')
      const at = whole.indexOf(keys.join(''))
      const [passed, left] = typed(keys.join(','), chunks)
      expect(left).toBe(at !== -1)
      // Without the keys in it, all but what may be their beginning.
      const held = whole.slice(passed.length)
      expect(passed).toBe(whole.slice(0, left ? at : passed.length))
      expect(left || (held.length < keys.length && keys.join('').startsWith(held))).toBe(true)
    }),
  )
})
