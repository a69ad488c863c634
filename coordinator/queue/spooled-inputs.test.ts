import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { anOrder, NOW, requestId } from '../domain/testing.ts'
import { SpooledInputs, type SpooledInputsOptions } from './spooled-inputs.ts'

const INPUT = Buffer.from('all of it\0\n')
const ORDER = anOrder('w1', { input: INPUT.length })
const KEY = 'hal9000:i1:input:r-w10000'
const HOUR = 3600

type Redis = SpooledInputsOptions['redis']

/** As much of Redis as is used here: what it holds, for how long, how much it may hold. `away`: calls that fail yet. */
function aRedis({ most = 0, away = 0 } = {}) {
  const values = new Map<string, { value: Buffer; seconds: number }>()
  const used = (): number => [...values.values()].reduce((sum, { value }) => sum + value.length, 0)
  let failures = away
  const there = async <T>(answer: () => T): Promise<T> => {
    await sleep(1)
    if (failures > 0) throw new Error(`Connection is closed. ${(failures -= 1)}`)
    return answer()
  }
  const redis = {
    info: () => there(() => `used_memory:${used()}\r\nmaxmemory:${most}\r\nmaxmemory_policy:noeviction\r\n`),
    set: (key: string, value: Buffer, _ex: 'EX', seconds: number, _nx: 'NX') =>
      there(() => (values.has(key) ? null : (values.set(key, { value, seconds }), 'OK'))),
    expire: (key: string, seconds: number) =>
      there(() => {
        const found = values.get(key)
        if (found) found.seconds = seconds
        return found ? 1 : 0
      }),
    getBuffer: (key: string) => there(() => values.get(key)?.value ?? null),
    unlink: (key: string) => there(() => (values.delete(key) ? 1 : 0)),
  }
  return { values, redis: redis as unknown as Redis }
}

function spooled(redis: Redis, now = (): number => NOW): SpooledInputs {
  const onError = (error: Error): void => expect.unreachable(error.message)
  return new SpooledInputs({ redis, instance: 'i1', key: Buffer.alloc(32, 1), onError, now })
}

test('an input waits for its request for an hour, then as long as the request and a day more', async () => {
  const { redis, values } = aRedis()
  const inputs = spooled(redis)
  await inputs.keep(ORDER.request, INPUT)
  expect([...values].map(([key, { seconds }]) => [key, seconds])).toEqual([[KEY, HOUR]])
  await inputs.claim({ ...ORDER, waitUntil: NOW + 90_500 })
  expect(values.get(KEY)?.seconds).toBe(91 + 24 * HOUR)
  expect(await inputs.read(ORDER)).toEqual(INPUT)
})

test('it cannot be read in the store, nor taken for that of another request', async () => {
  const { redis, values } = aRedis()
  const inputs = spooled(redis)
  await inputs.keep(ORDER.request, INPUT)
  const kept = values.get(KEY)
  if (kept === undefined) throw new Error('nothing is kept')
  expect(kept.value.includes('all of it')).toBe(false)
  values.set('hal9000:i1:input:r-w20000', kept)
  await expect(inputs.read({ ...ORDER, request: requestId('r-w2') })).rejects.toThrow(/unable to authenticate/)
})

test('sent twice it is kept once, as it came first', async () => {
  const { redis } = aRedis()
  const inputs = spooled(redis)
  await inputs.keep(ORDER.request, INPUT)
  await inputs.keep(ORDER.request, Buffer.from('other'))
  expect(await inputs.read(ORDER)).toEqual(INPUT)
})

test('an order without input needs none', async () => {
  const inputs = spooled(aRedis({ away: Infinity }).redis)
  await inputs.claim(anOrder())
  expect(await inputs.read(anOrder())).toBeNull()
  inputs.dropOnceSettled(anOrder(), Promise.resolve())
  await sleep(10)
})

test('one that has not come is refused, one that is gone fails, and neither is taken for empty', async () => {
  const inputs = spooled(aRedis().redis)
  await expect(inputs.claim(ORDER)).rejects.toMatchObject({ code: 'invalid-value' })
  await expect(inputs.read(ORDER)).rejects.toMatchObject({
    code: 'worker-failed',
    message: 'Worker "w1" was not started: the input of its command is gone.',
  })
})

test.each([
  ['ready', () => Promise.resolve()],
  ['a failure', () => Promise.reject(new Error('no'))],
])('it is forgotten when the request has come to %s, and not before', async (_what, end) => {
  const { redis, values } = aRedis()
  const inputs = spooled(redis)
  await inputs.keep(ORDER.request, INPUT)
  const settled = Promise.withResolvers<void>()
  inputs.dropOnceSettled(ORDER, settled.promise)
  await sleep(10)
  expect(values.size).toBe(1)
  settled.resolve(end())
  await expect.poll(() => values.size).toBe(0)
})

test('inputs that come at once fill half of Redis and no more', async () => {
  const { redis, values } = aRedis({ most: 1000 })
  const inputs = spooled(redis)
  const kept = await Promise.allSettled(
    [1, 2, 3, 4, 5].map((n) => inputs.keep(requestId(`r-many-${n}`), Buffer.alloc(100))),
  )
  expect(kept.map((one) => (one.status === 'fulfilled' ? 'kept' : one.reason.code))).toEqual([
    'kept',
    'kept',
    'kept',
    'queue-full',
    'queue-full',
  ])
  expect(values.size).toBe(3)
})

test('without Redis none is acknowledged, and one that was is read when Redis is back', async () => {
  await expect(spooled(aRedis({ away: 1 }).redis).keep(ORDER.request, INPUT)).rejects.toMatchObject({
    code: 'not-ready',
  })
  const { redis, values } = aRedis()
  await spooled(redis).keep(ORDER.request, INPUT)
  const back = aRedis({ away: 2 })
  for (const [key, kept] of values) back.values.set(key, kept)
  expect(await spooled(back.redis).read(ORDER)).toEqual(INPUT)
})

test('a Redis that stays away is told as such', async () => {
  let now = NOW
  const inputs = spooled(aRedis({ away: Infinity }).redis, () => (now += 6000))
  await expect(inputs.read(ORDER)).rejects.toMatchObject({ code: 'not-ready' })
})
