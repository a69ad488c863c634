import { z } from 'zod'
import type { Usage } from './engine.ts'

/** Processor time since the container's start. Nanoseconds. */
const ProcessorTime = z.object({ cpu_usage: z.object({ total_usage: z.number() }) })

/** One sample and the time of the one before it. A controller that is off leaves its part empty. */
const Sample = z.object({
  read: z.string(),
  preread: z.string(),
  cpu_stats: ProcessorTime,
  precpu_stats: ProcessorTime,
  memory_stats: z.object({ usage: z.number().optional(), stats: z.record(z.string(), z.number()).default({}) }),
  pids_stats: z.object({ current: z.number().optional() }),
})
type Sample = z.infer<typeof Sample>

/** What is cached of files and was not used for long, by its names on cgroup v1 and v2. */
const CACHE = ['total_inactive_file', 'inactive_file'] as const

/**
 * The engine's sample as what a container uses; undefined where there is none: of a container that does not run it is one
 * of the year 1, of one that was removed meanwhile an answer without a word.
 * Source: Docker Engine API 1.41, "Get container stats based on resource usage".
 */
export function usageOf(answer: unknown): Usage | undefined {
  if (Buffer.isBuffer(answer) && answer.length === 0) return undefined
  const sample = Sample.parse(answer)
  if (isNever(sample.read)) return undefined
  return { cores: coresOf(sample), memory: memoryOf(sample), pids: sample.pids_stats.current ?? null }
}

/** Processor time by the time that passed, which is what "cores" means; `docker stats` goes by the host's idle time. */
function coresOf({ read, preread, cpu_stats, precpu_stats }: Sample): number | null {
  if (isNever(preread)) return null
  const passed = (Date.parse(read) - Date.parse(preread)) * 1e6
  const used = cpu_stats.cpu_usage.total_usage - precpu_stats.cpu_usage.total_usage
  // The times are read to the millisecond: more digits would say nothing.
  return passed > 0 && used >= 0 ? Math.round((used / passed) * 1000) / 1000 : null
}

/** As `docker stats` counts: a file that was read once, and could be dropped at any time, is not in use. */
function memoryOf({ memory_stats: { usage, stats } }: Sample): number | null {
  if (usage === undefined) return null
  const cached = CACHE.map((name) => stats[name] ?? 0).find((bytes) => bytes > 0 && bytes < usage)
  return usage - (cached ?? 0)
}

function isNever(time: string): boolean {
  return time.startsWith('0001-')
}
