import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, formatSize, formatTimeLimit, parseDuration, parseSize } from './units.ts'

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['900', 900],
    ['900b', 900],
    ['1k', 1024],
    ['512m', 512 * 2 ** 20],
    ['512M', 512 * 2 ** 20],
    ['512MB', 512 * 2 ** 20],
    ['512MiB', 512 * 2 ** 20],
    ['4g', 4 * 2 ** 30],
    ['4 GiB', 4 * 2 ** 30],
    ['1.5G', 1.5 * 2 ** 30],
    ['2t', 2 * 2 ** 40],
    ['1073741824', 2 ** 30],
    ['0.5', 0],
  ])('%j is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each([
    '',
    ' ',
    'm',
    '-1m',
    '+1m',
    '1e3',
    '0x10',
    '1,5g',
    '.5g',
    '5.g',
    '4ib',
    '4bb',
    '4gg',
    '4 g b',
    '1p',
    'NaN',
    'Infinity',
    '99999999t',
  ])('%j is no size', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })

  test('any whole number of bytes is read back, with or without a unit', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom<[string, number]>(['', 1], ['k', 2 ** 10], ['m', 2 ** 20]),
        (amount, [unit, factor]) => {
          expect(parseSize(`${amount}${unit}`)).toBe(amount * factor)
        },
      ),
    )
  })

  test.each([
    [0, '0 B'],
    [900, '900 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [512 * 2 ** 20, '512 MiB'],
    [4 * 2 ** 30, '4 GiB'],
    [15.7 * 2 ** 30, '16 GiB'],
    [5 * 2 ** 50, '5120 TiB'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })

  test('a size that is shown reads back as nearly the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), (bytes) => {
        expect(Math.abs((parseSize(formatSize(bytes)) ?? Number.NaN) - bytes)).toBeLessThanOrEqual(bytes * 0.06)
      }),
    )
  })
})

describe('durations', () => {
  test.each([
    ['0', 0],
    ['45', 45_000],
    ['1.5', 1500],
    ['250ms', 250],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    [' 2h ', 7_200_000],
  ])('%j is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  test.each([
    '',
    ' ',
    's',
    '-5',
    '-5s',
    '5 s',
    '5S',
    '5y',
    '1h 30m',
    '1h30',
    '30m!',
    '!30m',
    '1e3',
    'NaN',
    `${'9'.repeat(30)}d`,
  ])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  test.each([
    [-1, '0 s'],
    [999, '0 s'],
    [3000, '3 s'],
    [250_000, '4 m 10 s'],
    [7_500_000, '2 h 5 m'],
    [3_605_000, '1 h'],
    [262_800_000, '3 d 1 h'],
  ])('%d ms are shown as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })

  test('whole seconds below an hour are read back from what is shown', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3599 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000).replaceAll(' ', ''))).toBe(seconds * 1000)
      }),
    )
  })
})

test.each([
  [1, '0.001 s'],
  [1500, '1.5 s'],
  [59_999, '59.999 s'],
  [60_000, '1 m'],
  [5_400_000, '1 h 30 m'],
])('a time limit of %d ms is shown as it was given: %s', (milliseconds, text) => {
  expect(formatTimeLimit(milliseconds)).toBe(text)
})
