import { z } from 'zod'

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
    'coordinator-started',
    'coordinator-stopping',
    'engine-lost',
    'engine-back',
  ]),
  worker: z.string().nullable(),
  project: z.string().nullable(),
  request: z.string().nullable(),
  message: z.string(),
})
export type CoordinatorEvent = z.infer<typeof CoordinatorEvent>
