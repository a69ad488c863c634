import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Canary } from './canary.ts'

/** Longer than from one canary to the verdict over the next. Milliseconds. */
const ROUND = 21_000

let canary: Canary
let sent: number
let silences: number
let deaf: boolean
let away: boolean
let full: boolean

beforeEach(() => {
  vi.useFakeTimers()
  sent = silences = 0
  deaf = away = full = false
  canary = new Canary({
    send: async () => {
      if (away) throw new Error('Redis is away')
      sent += 1
      if (!deaf && !full) canary.heard()
    },
    hasPlace: () => !full,
    onSilence: () => {
      silences += 1
    },
  })
  canary.start()
})
afterEach(() => {
  canary.stop()
  vi.useRealTimers()
})

test('one that is heard is no trouble, and the next one follows', async () => {
  await vi.advanceTimersByTimeAsync(3 * ROUND)
  expect([sent, silences, canary.trouble]).toEqual([3, 0, undefined])
})

test('one that is not heard has the consumer renewed; a second one is trouble, until something is taken up', async () => {
  deaf = true
  await vi.advanceTimersByTimeAsync(ROUND)
  expect([silences, canary.trouble]).toEqual([1, undefined])
  await vi.advanceTimersByTimeAsync(5_000)
  expect(canary.trouble).toMatchObject({ code: 'not-ready', message: expect.stringContaining('handed out') })
  canary.heard()
  expect(canary.trouble).toBeUndefined()
})

test('a consumer that hears again once it was renewed was never trouble', async () => {
  deaf = true
  await vi.advanceTimersByTimeAsync(ROUND)
  deaf = false
  await vi.advanceTimersByTimeAsync(5 * ROUND)
  expect([silences, canary.trouble]).toEqual([1, undefined])
})

test.each([
  ['every place is taken', () => (full = true)],
  ['Redis is away', () => (away = true)],
])('silence is no trouble while %s', async (_why, spoil) => {
  spoil()
  await vi.advanceTimersByTimeAsync(5 * ROUND)
  expect([silences, canary.trouble]).toEqual([0, undefined])
})

test('Redis that goes while one is on its way is no trouble of the queue', async () => {
  deaf = true
  await vi.advanceTimersByTimeAsync(16_000)
  away = true
  await vi.advanceTimersByTimeAsync(5 * ROUND)
  expect([sent, silences, canary.trouble]).toEqual([1, 0, undefined])
})

test('nothing is sent once it is stopped', async () => {
  canary.stop()
  await vi.advanceTimersByTimeAsync(3 * ROUND)
  expect(sent).toBe(0)
})
