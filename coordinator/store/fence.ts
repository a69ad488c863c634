import type { Redis, RedisOptions } from 'ioredis'

/** How often Redis is asked until it takes our epoch. Milliseconds. */
const RETRY = 50

/**
 * Lua that goes before every script of a coordinator: it writes only while its epoch is the one in Redis, decided by Redis
 * in the same step. An empty Redis refuses nobody; whoever holds the instance puts its epoch there again.
 */
export type Fence = { key: string; epoch: number; prelude: string }

export function fenceOf(instance: string, epoch: number): Fence {
  const key = `hal9000:${instance}:epoch`
  const prelude = `do local held = redis.call('GET', '${key}')
if held and held ~= '${epoch}' then return redis.error_reply('FENCED epoch ' .. held .. ' holds this instance, not ${epoch}') end end
`
  return { key, epoch, prelude }
}

/** Only upwards. Answers what was there before; 0 when nothing was. */
const RAISE = `local held = tonumber(redis.call('GET', KEYS[1]) or '0')
if held < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return held`

/** Puts the epoch into Redis where a lesser one is, or none. The epoch that was there before; 0 for none. */
export async function raiseEpoch(redis: Redis, { key, epoch }: Fence): Promise<number> {
  return Number(await redis.eval(RAISE, 1, key, epoch))
}

/** The first contact: waits for Redis as long as it takes. The epoch that was there before; 0 for none. */
export async function claimEpoch(redis: Redis, fence: Fence): Promise<number> {
  for (;;) {
    try {
      return await raiseEpoch(redis, fence)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY).unref())
    }
  }
}

/**
 * Has every script of a connection fenced, and of its duplicates. BullMQ writes by scripts only, and defines them on the
 * connection that it is given.
 */
export function fenced(redis: Redis, fence: Fence): Redis {
  const define = redis.defineCommand.bind(redis)
  const duplicate = redis.duplicate.bind(redis)
  return Object.assign(redis, {
    defineCommand: (...[name, definition]: Parameters<typeof define>) =>
      define(name, { ...definition, lua: fence.prelude + definition.lua }),
    // Whoever asks for a duplicate uses it, also where the original only stands for what it is made of.
    duplicate: (override?: Partial<RedisOptions>) => fenced(duplicate({ ...override, lazyConnect: false }), fence),
  })
}
