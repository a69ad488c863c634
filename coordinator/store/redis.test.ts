import { expect, test } from 'vitest'
import { checkRedis, redisAddress, redisFailure } from './redis.ts'

const MEMORY = { used_memory: '100', maxmemory: '1000', maxmemory_policy: 'noeviction' }

/** A Redis that says this of itself. */
function saying(memory: Record<string, string>, role = 'master'): Parameters<typeof checkRedis>[0] {
  const text = (fields: object): string =>
    Object.entries(fields)
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join('')
  return { info: ((section: string) => Promise.resolve(text(section === 'memory' ? memory : { role }))) as never }
}

test.each([
  ['FENCED epoch 3 holds this instance, not 2', 'Another coordinator holds this instance in Redis.'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'Redis is full: it takes no more requests.'],
  ['ERR Error running script: -OOM command not allowed', 'Redis is full: it takes no more requests.'],
  ["READONLY You can't write against a read only replica.", 'Redis is a replica of another one and takes no writes.'],
  ['MISCONF Errors writing to the AOF file: No space', 'Redis cannot write to its disk and takes no writes.'],
  ['WRONGPASS invalid username-password pair', 'Redis does not accept our user or password.'],
  ['NOAUTH Authentication required.', 'Redis does not accept our user or password.'],
  ['LOADING Redis is loading the dataset in memory', 'Redis is still loading its data.'],
  ['Connection is closed.', 'Redis does not answer, so nothing can be stored.'],
])('what Redis says, "%s", is told as a fact with a next step', (said, message) => {
  const failure = redisFailure(new Error(said))
  expect([failure.code, failure.message]).toEqual(['not-ready', message])
  expect(failure.hint).toMatch(/coordinator|\.\/hal9000/)
})

test('a Redis that keeps what it takes is accepted; where it does not say, it is not blamed', async () => {
  for (const redis of [saying(MEMORY), saying({ ...MEMORY, maxmemory: '0' }), saying({}, '')])
    await expect(checkRedis(redis)).resolves.toBe(undefined)
})

test.each([
  [{ ...MEMORY, maxmemory_policy: 'allkeys-lru' }, 'master', 'Redis has the policy "allkeys-lru"'],
  [{ ...MEMORY, used_memory: '960' }, 'master', 'Redis is full'],
  [MEMORY, 'slave', 'Redis is a replica'],
])('%j as %s is refused', async (memory, role, message) => {
  await expect(checkRedis(saying(memory, role))).rejects.toMatchObject({
    code: 'not-ready',
    message: expect.stringContaining(message),
  })
})

test('one that is nearly full is accepted where room can be made', async () => {
  let used = '960'
  const redis = saying(MEMORY)
  const nearlyFull = {
    info: ((section: string) =>
      section === 'memory'
        ? Promise.resolve(`used_memory:${used}\r\nmaxmemory:1000\r\n`)
        : redis.info(section)) as never,
  }
  await expect(checkRedis(nearlyFull, async () => {})).rejects.toMatchObject({
    message: 'Redis is full: it takes no more requests.',
  })
  await checkRedis(nearlyFull, async () => {
    used = '100'
  })
})

test('an address that is not understood is refused without repeating it, since it may hold a password', () => {
  expect(redisAddress('redis://me:s%20ecret@host:1/2')).toEqual({
    host: 'host',
    port: 1,
    username: 'me',
    password: 's ecret',
    db: 2,
  })
  for (const bad of ['http://me:secret@host', 'redis//me:secret@host'])
    expect(() => redisAddress(bad)).toThrow(/^(?!.*secret)/)
})

test('one that does not answer because it refuses the connection is told so', () => {
  const trouble = new Error('WRONGPASS invalid username-password pair')
  const away = redisFailure(new Error('Connection is closed.'))
  expect(redisFailure(away, trouble).message).toBe('Redis does not accept our user or password.')
  expect(redisFailure(away)).toBe(away)
  const full = redisFailure(new Error('OOM'))
  expect(redisFailure(full, trouble)).toBe(full)
})
