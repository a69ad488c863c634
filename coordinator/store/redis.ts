import { Redis } from 'ioredis'
import { Failure } from '../contract/failure.ts'

/** Where Redis listens: a unix socket (the embedded one) or a server. */
export type RedisAddress =
  | { path: string }
  | { host: string; port: number; username?: string; password?: string; db?: number; tls?: object }

/** `redis://`, `rediss://` and `unix:` URLs, or a socket's path. Fails with `invalid-value`. */
export function redisAddress(text: string): RedisAddress {
  if (text.startsWith('/')) return { path: text }
  const url = URL.parse(text)
  if (url?.protocol === 'unix:') return { path: url.pathname }
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol)) {
    throw new Failure('invalid-value', 'HAL9000_REDIS_URL is not a redis:// or rediss:// URL.')
  }
  return {
    host: url.hostname,
    port: Number(url.port || 6379),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.pathname.length > 1 ? { db: Number(url.pathname.slice(1)) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

/** The embedded Redis is back within a second when it was killed: look for it often. Milliseconds. */
export function retryStrategy(attempt: number): number {
  return Math.min(50 * attempt, 500)
}

/** A Redis that is connected and stuck (a disk that does not sync) must not hold up an answer. Milliseconds. */
export const COMMAND_TIMEOUT = 5_000

/**
 * A connection that fails at once while Redis is away, instead of queueing in memory what was not stored. What was under way
 * when it was lost may have been done: it is not sent again behind the back of whoever asked.
 */
export function openRedis(address: RedisAddress, onError: (error: Error) => void): Redis {
  const redis = new Redis({
    ...address,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT,
    retryStrategy,
  })
  redis.on('error', onError)
  return redis
}

/** Why Redis did not do what it was asked, as a person can act on it. */
export function redisFailure(cause: unknown): Failure {
  const fenced = cause instanceof Error && cause.message.includes('FENCED')
  if (fenced)
    return new Failure('not-ready', 'Another coordinator holds this instance in Redis.', {
      hint: 'coordinator daemon status',
      cause,
    })
  const full = cause instanceof Error && cause.message.startsWith('OOM')
  const message = full
    ? 'Redis is full: it takes no more requests.'
    : 'Redis does not answer, so nothing can be stored.'
  return new Failure('not-ready', message, { hint: 'coordinator status', cause })
}

/** How full Redis may be before it counts as trouble: a spawn needs room for its answer. */
const FULL = 0.95

/** Fails with `not-ready` when Redis is away, full, or may throw entries away: a queue that forgets is none. */
export async function checkRedis(redis: Redis): Promise<void> {
  const { used, most, policy } = await redisMemory(redis)
  if (most > 0 && used > most * FULL) throw redisFailure(new Error('OOM: nearly'))
  if (policy === '' || policy === 'noeviction') return
  throw new Failure('not-ready', `Redis has the policy "${policy}" and may throw requests away.`, {
    hint: 'set maxmemory-policy to noeviction in Redis',
  })
}

/** How much memory Redis uses and how much it may at most, 0 = any. Bytes. And what it does then. Fails with `not-ready`. */
export async function redisMemory(redis: Pick<Redis, 'info'>): Promise<{ used: number; most: number; policy: string }> {
  const info = await redis.info('memory').catch((cause: unknown) => {
    throw redisFailure(cause)
  })
  const field = (name: string): string => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? ''
  return { used: Number(field('used_memory')), most: Number(field('maxmemory')), policy: field('maxmemory_policy') }
}
