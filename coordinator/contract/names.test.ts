import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { routeFor, ROUTE } from './control.ts'
import { ContainerId, InstanceName, ProjectPath, RequestId, WorkerName } from './names.ts'

/** Texts of which many are names, and most others nearly. */
const mostlyGood = fc
  .array(
    fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom('a', 'z', 'A', 'Z', '0', '9', '_', '.', '-') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 1 }) },
    ),
    {
      maxLength: 45,
      size: 'max',
    },
  )
  .map((characters) => characters.join(''))

describe('a name of a worker', () => {
  test.each(['a', '7', 'w1', 'Fix_the.bug-2', 'a'.repeat(40), 'a..', 'a-'])('may be %j', (name) => {
    expect(WorkerName.parse(name)).toBe(name)
  })

  test.each([
    ['empty', ''],
    ['41 characters long', 'a'.repeat(41)],
    ['begun with a dash', '-rf'],
    ['begun with a dot', '.hidden'],
    ['begun with an underscore', '_x'],
    ['a path', '../images'],
    ['of two parts', 'dir/name'],
    ['ended by a newline', 'w1\n'],
    ['of two lines', 'w1\nw2'],
    ['with an escape code', '\u001B[31mred'],
    ['with a NUL', 'w1\0'],
    ['with a space', 'w 1'],
    ['with a Cyrillic look-alike', '\u0430dmin'],
    ['in full width', '\uFF57\uFF11'],
    ['with a joiner', 'w\u200D1'],
    ['with a colon', 'a:b'],
  ])('may not be %s', (_what, name) => {
    expect(WorkerName.safeParse(name).success).toBe(false)
  })

  test('is never repaired: what is accepted is what was given, and only of the characters of the rule', () => {
    fc.assert(
      fc.property(mostlyGood, (text) => {
        const parsed = WorkerName.safeParse(text)
        expect(parsed.success).toBe(text.length <= 40 && /^[a-z0-9]/i.test(text) && !/[^\w.-]/.test(text))
        expect(parsed.data ?? text).toBe(text)
      }),
    )
  })

  test('is refused with its rule', () => {
    expect(WorkerName.safeParse('-x').error?.issues[0]?.message).toBe(
      'a name is 1 to 40 of the characters a-z A-Z 0-9 _ . - and the first a letter or digit',
    )
  })
})

test.each([
  [
    'a request id',
    RequestId,
    ['r1234567', `r${'0'.repeat(63)}`],
    ['12345678', 'short', 'has:colon1', 'UPPERCASE', `r${'0'.repeat(64)}`, 'r1234567\n'],
  ],
  [
    'an instance',
    InstanceName,
    ['hal9000', 't-1.x_y', 'a'.repeat(31)],
    ['', 'Hal', '-a', 'a'.repeat(32), 'a/b', 'a\n'],
  ],
  ['a container id', ContainerId, ['0'.repeat(64)], ['0'.repeat(63), '0'.repeat(65), 'G'.repeat(64), '../images', '']],
  ['a project path', ProjectPath, ['/', '/a b'], ['', 'a', './a', `/${'a'.repeat(4096)}`]],
])('%s is of its form or refused', (_what, schema, good, bad) => {
  expect(good.filter((text) => !schema.safeParse(text).success)).toEqual([])
  expect(bad.filter((text) => schema.safeParse(text).success)).toEqual([])
})

test('a worker reference stays one part of a route whatever is in it', () => {
  expect(routeFor(ROUTE.stop, 'dir/na me?#$&')).toBe('/v1/workers/dir%2Fna%20me%3F%23%24%26/stop')
  expect(routeFor(ROUTE.resize, 'a1')).toBe('/v1/attachments/a1/size')
})
