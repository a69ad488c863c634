import { z } from 'zod'
import { END_REASONS } from './worker.ts'

/** One thing that happened, as `events` and the dashboard show it. `id` orders them and resumes the stream. */
export const CoordinatorEvent = z.object({
  id: z.string(),
  /** ISO 8601 UTC. */
  at: z.string(),
  kind: z.enum([
    'worker-queued',
    'worker-ready',
    'worker-failed',
    'worker-stopping',
    'worker-ended',
    'worker-adopted',
    'worker-limit-hit',
    'worker-network-lost',
    'image-pulling',
    'image-pulled',
    'image-pull-failed',
    'coordinator-started',
    'coordinator-stopping',
    'engine-lost',
    'engine-back',
    'redis-repaired',
  ]),
  worker: z.string().nullable(),
  project: z.string().nullable(),
  request: z.string().nullable(),
  message: z.string(),
  /** How it ended, of `worker-ended` only; as in the exit record. */
  exit: z
    .object({
      reason: z.enum(END_REASONS),
      exitCode: z.number().nullable(),
      signal: z.string().nullable(),
      oomKills: z.number().nullable(),
      pidsLimitHits: z.number().nullable(),
    })
    .nullable()
    .default(null),
})
export type CoordinatorEvent = z.infer<typeof CoordinatorEvent>

/** Something to tell. It happened when it is told, unless `at` says otherwise. */
export type NewEvent = Omit<CoordinatorEvent, 'id' | 'at' | 'exit'> & Partial<Pick<CoordinatorEvent, 'at' | 'exit'>>
