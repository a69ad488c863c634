import { z } from 'zod'
import { ContainerId, ProjectPath, RequestId, WorkerName } from '../contract/names.ts'
import { LimitsShape } from './spawn-order.ts'

/** Version of the record files below sessions/. */
const RECORD_SCHEMA = 1

const Reason = z.enum([
  'exited',
  'stopped',
  'oom',
  'timeout',
  'network-lost',
  'never-assigned',
  'engine-stopped',
  'cancelled',
  'failed',
])

const ExitRecord = z.object({
  reason: Reason,
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  startedAt: z.string().nullable(),
  endedAt: z.string(),
  oomKilled: z.boolean(),
  oomKills: z.number().nullable(),
  pidsLimitHits: z.number().nullable(),
  message: z.string().nullable(),
  log: z.string().nullable(),
  logCut: z.boolean(),
  logBytes: z.number().default(0),
})

/**
 * What is kept of one worker, below sessions/: what Docker's labels cannot hold (the command, the deadline, what was
 * asked of it) and, once it has ended, the exit record. Losing it loses no running worker. Times: milliseconds since the epoch.
 */
export const WorkerRecord = z.object({
  schema: z.literal(RECORD_SCHEMA),
  request: RequestId,
  name: WorkerName,
  project: ProjectPath,
  image: z.string(),
  command: z.array(z.string()),
  io: z.enum(['session', 'pipes']),
  limits: LimitsShape,
  remove: z.boolean(),
  container: ContainerId.nullable(),
  uid: z.number().nullable(),
  gid: z.number().nullable(),
  createdAt: z.number(),
  readyAt: z.number().nullable(),
  /** When the command's time is up. */
  deadline: z.number().nullable(),
  /** Milliseconds; the deadline is set from it when the command starts. */
  timeout: z.number().nullable(),
  /** What was asked of the worker; makes an end that follows `stopped` or `timeout`. */
  stop: z.object({ reason: Reason, at: z.number(), grace: z.number() }).nullable(),
  end: ExitRecord.nullable(),
})
export type WorkerRecord = z.infer<typeof WorkerRecord>

export function newRecord(
  fields: Omit<WorkerRecord, 'schema' | 'container' | 'readyAt' | 'deadline' | 'stop' | 'end'>,
): WorkerRecord {
  return { schema: RECORD_SCHEMA, container: null, readyAt: null, deadline: null, stop: null, end: null, ...fields }
}
