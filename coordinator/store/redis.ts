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
function retryStrategy(attempt: number): number {
  return Math.min(50 * attempt, 500)
}

/** A Redis that is connected and stuck (a disk that does not sync) must not hold up an answer. Milliseconds. */
export const COMMAND_TIMEOUT = 5_000

/**
 * What every connection is made with: one over which nothing comes though something is due is given up. A Redis whose host or
 * network has gone says nothing, and when it is back TCP would try again only after about as long as it was away.
 * `socketTimeout` is longer than any wait that we ask Redis for. Milliseconds.
 */
export const CONNECTION = { retryStrategy, connectTimeout: 1_500, socketTimeout: 3_000 } as const

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
    ...CONNECTION,
  })
  redis.on('error', onError)
  return redis
}

/** What Redis says when it refuses something, as a person can act on it. */
const REFUSALS: readonly [said: RegExp, message: string, hint: string][] = [
  [/FENCED/, 'Another coordinator holds this instance in Redis.', 'coordinator daemon status'],
  [/\bOOM\b/, 'Redis is full: it takes no more requests.', 'coordinator queue'],
  [
    /READONLY/,
    'Redis is a replica of another one and takes no writes.',
    'name the primary in HAL9000_REDIS_URL: ./hal9000 up',
  ],
  [/MISCONF/, 'Redis cannot write to its disk and takes no writes.', 'make room where Redis runs; coordinator status'],
  [
    /^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH)/,
    'Redis does not accept our user or password.',
    'correct HAL9000_REDIS_URL: ./hal9000 up',
  ],
  [/^LOADING/, 'Redis is still loading its data.', 'coordinator status'],
]

const AWAY = 'Redis does not answer, so nothing can be stored.'

/** Why Redis did not do what it was asked. `trouble`: what was wrong with the connection last; then that is why it does not answer. */
export function redisFailure(cause: unknown, trouble?: unknown): Failure {
  if (cause instanceof Failure) return (cause.message === AWAY ? refusal(trouble) : undefined) ?? cause
  return refusal(cause) ?? refusal(trouble) ?? new Failure('not-ready', AWAY, { hint: 'coordinator status', cause })
}

function refusal(cause: unknown): Failure | undefined {
  const said = cause instanceof Error ? cause.message : ''
  const [, message, hint] = REFUSALS.find(([pattern]) => pattern.test(said)) ?? []
  return message === undefined || hint === undefined ? undefined : new Failure('not-ready', message, { hint, cause })
}

/** How full Redis may be before it counts as trouble: a spawn needs room for its answer. */
const FULL = 0.95

/**
 * Fails with `not-ready` when Redis is away, full, a replica, or may throw entries away: a queue that forgets is none. Before it
 * counts as full, `makeRoom` may do what it can.
 */
export async function checkRedis(redis: Pick<Redis, 'info'>, makeRoom?: () => Promise<unknown>): Promise<void> {
  const [memory, replica] = await Promise.all([redisMemory(redis), isReplica(redis)])
  if (replica) throw redisFailure(new Error('READONLY: by its role'))
  if (isNearlyFull(memory)) {
    await makeRoom?.()
    if (isNearlyFull(await redisMemory(redis))) throw redisFailure(new Error('OOM: nearly'))
  }
  const { policy } = memory
  if (policy === '' || policy === 'noeviction') return
  throw new Failure('not-ready', `Redis has the policy "${policy}" and may throw requests away.`, {
    hint: 'set maxmemory-policy to noeviction in that Redis; coordinator status',
  })
}

function isNearlyFull({ used, most }: { used: number; most: number }): boolean {
  return most > 0 && used > most * FULL
}

/** How much memory Redis uses and how much it may at most, 0 = any. Bytes. And what it does then. Fails with `not-ready`. */
export async function redisMemory(redis: Pick<Redis, 'info'>): Promise<{ used: number; most: number; policy: string }> {
  const field = await info(redis, 'memory')
  return { used: Number(field('used_memory')), most: Number(field('maxmemory')), policy: field('maxmemory_policy') }
}

async function isReplica(redis: Pick<Redis, 'info'>): Promise<boolean> {
  return (await info(redis, 'replication'))('role') === 'slave'
}

/** A section of what Redis says of itself, by field; empty for one that is not there. Fails with `not-ready`. */
async function info(redis: Pick<Redis, 'info'>, section: string): Promise<(name: string) => string> {
  const text = await redis.info(section).catch((cause: unknown) => {
    throw redisFailure(cause)
  })
  return (name) => new RegExp(`^${name}:(\\S+)`, 'm').exec(text)?.[1] ?? ''
}
