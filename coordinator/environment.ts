import { posix } from 'node:path'
import { z } from 'zod'
import { DEFAULT_SOCKET } from './contract/control.ts'
import { Failure } from './contract/failure.ts'
import { InstanceName } from './contract/names.ts'
import { parseDuration, parseSize } from './contract/units.ts'

const text = (fallback: string): z.ZodType<string> =>
  z
    .string()
    .default(fallback)
    .transform((value) => value || fallback)
const count = (fallback: number): z.ZodType<number> => z.coerce.number().int().min(0).default(fallback)

const size = z.string().transform((value, context) => {
  const bytes = parseSize(value)
  if (bytes !== undefined) return bytes
  context.addIssue({ code: 'custom', message: 'is not a size such as 16g' })
  return z.NEVER
})

const duration = (fallback: string): z.ZodType<number> =>
  z
    .string()
    .default(fallback)
    .transform((value, context) => {
      const milliseconds = parseDuration(value)
      if (milliseconds !== undefined) return milliseconds
      context.addIssue({ code: 'custom', message: 'is not a duration such as 7d' })
      return z.NEVER
    })

const roots = z
  .string()
  .default('[]')
  .transform((value, context) => {
    const parsed = z.array(z.string().startsWith('/')).safeParse(parseJson(value || '[]'))
    if (parsed.success) return parsed.data.map((root) => posix.resolve('/', root))
    context.addIssue({ code: 'custom', message: 'is not a JSON list of absolute paths' })
    return z.NEVER
  })

/** Every variable that the coordinator reads, with its default. docs/configuration.md explains them. */
const Environment = z.object({
  HAL9000_NAME: z.string().default('hal9000').pipe(InstanceName),
  HAL9000_HOME: text('/var/lib/hal9000'),
  HAL9000_SOCKET: text(DEFAULT_SOCKET),
  HAL9000_DOCKER_SOCKET: text('/var/run/docker.sock'),
  HAL9000_REDIS_URL: text('/run/hal9000/redis/redis.sock'),
  HAL9000_PROJECT_ROOTS: roots,
  HAL9000_HOST_HOME: z.string().default(''),
  /** Whether the engine starts the parent again when it ends with a failure. */
  HAL9000_RESTARTS: z.enum(['0', '1']).default('0'),
  HAL9000_MAX_WORKERS: count(0),
  HAL9000_MAX_QUEUE: count(100),
  HAL9000_MEMORY_BUDGET: size.nullable().default(null),
  HAL9000_CPU_BUDGET: z.coerce.number().positive().nullable().default(null),
  HAL9000_KEEP_RECORDS: count(1000),
  HAL9000_KEEP_AGE: duration('7d'),
  HAL9000_KEEP_LOGS: size.default(2 * 2 ** 30),
  /** How long a pull may go without a sign of life. */
  HAL9000_PULL_STALL: duration('60s').refine((stall) => stall >= 1000 && stall < 2 ** 31, {
    error: 'must be 1s to 24d',
  }),
  HAL9000_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})
export type Environment = z.output<typeof Environment>

/** The environment checked; fails with `invalid-value`, naming the variable. Empty variables count as unset. */
export function readEnvironment(variables: Record<string, string | undefined>): Environment {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Failure('invalid-value', `${issue?.path.join('.')}: ${issue?.message}`)
}

/** The version and revision that the bundle was made from. */
export function build(): { version: string; revision: string } {
  return {
    version: process.env['HAL9000_BUILD_VERSION'] ?? 'development',
    revision: process.env['HAL9000_BUILD_REVISION'] ?? '',
  }
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
