import { z } from 'zod'
import { END_REASONS } from '../contract/worker.ts'
import { ContainerId, ProjectPath, RequestId, WorkerName } from '../contract/names.ts'
import { LimitsShape, OnNetworkLoss } from './spawn-order.ts'

/** Version of the record files below sessions/. */
const RECORD_SCHEMA = 1

const Reason = z.enum(END_REASONS)

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
  onNetworkLoss: OnNetworkLoss.default('keep'),
  /** When it was seen that the network it joined is gone; null = it has it. */
  networkLostAt: z.number().nullable().default(null),
  /** When the engine first told that a process of it was killed for want of memory. */
  limitHitAt: z.number().nullable().default(null),
  end: ExitRecord.nullable(),
  /** When the end was written here, which may be long after it came. */
  endWrittenAt: z.number().nullable().default(null),
})
export type WorkerRecord = z.infer<typeof WorkerRecord>

/** What a worker begins with; the rest of its record is what becomes of it. */
type Beginning = Pick<
  WorkerRecord,
  | 'request'
  | 'name'
  | 'project'
  | 'image'
  | 'command'
  | 'io'
  | 'limits'
  | 'remove'
  | 'onNetworkLoss'
  | 'uid'
  | 'gid'
  | 'createdAt'
  | 'timeout'
>

export function newRecord(beginning: Beginning): WorkerRecord {
  return {
    schema: RECORD_SCHEMA,
    container: null,
    readyAt: null,
    deadline: null,
    stop: null,
    networkLostAt: null,
    limitHitAt: null,
    end: null,
    endWrittenAt: null,
    ...beginning,
  }
}
