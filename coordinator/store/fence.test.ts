import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { fenced, fenceOf } from './fence.ts'

/** A connection that is never opened: what is defined on it can be looked at. */
function connection(): Redis {
  return fenced(new Redis({ lazyConnect: true, path: '/nowhere' }), fenceOf('hal9000', 7))
}

function scriptOf(redis: Redis, name: string): string | undefined {
  const { scriptsSet } = redis as unknown as { scriptsSet: Record<string, { lua: string }> }
  return scriptsSet[name]?.lua
}

test('every script that is defined begins with the fence, on duplicates too', () => {
  const redis = connection()
  const duplicate = redis.duplicate()
  for (const one of [redis, duplicate]) {
    one.defineCommand('write', { numberOfKeys: 1, lua: 'return 1' })
    expect(scriptOf(one, 'write')).toMatch(/^do local held = .*'hal9000:hal9000:epoch'[^]*~= '7'[^]*\nreturn 1$/)
    one.disconnect()
  }
})

test('a duplicate connects by itself, also of one that only stands for its options', () => {
  const duplicate = connection().duplicate({ connectionName: 'x' })
  expect(duplicate.options).toMatchObject({ lazyConnect: false, connectionName: 'x', path: '/nowhere' })
  duplicate.disconnect()
})
