import { z } from 'zod'
import { ProjectPath, RequestId, WorkerName } from '../contract/names.ts'
import { TerminalSize } from '../contract/request.ts'

/** Caps, not reservations; null = none. Memory in bytes, cpus in cores. */
export const LimitsShape = z.object({
  memory: z.number().nullable(),
  cpus: z.number().nullable(),
  pids: z.number().nullable(),
})

/** What becomes of a worker that has lost its network. */
export const OnNetworkLoss = z.enum(['keep', 'stop'])

/** A project directory as it was found on the host. */
const Project = z.object({
  /** Real path on the host; also where it is mounted in the worker. */
  path: ProjectPath,
  uid: z.number(),
  gid: z.number(),
  /** "DEVICE:INODE": the worker compares it after the mount, so that a directory swapped in between is noticed. */
  identity: z.string(),
})
export type Project = z.infer<typeof Project>

/**
 * A spawn request with every decision made: what the queue carries (encrypted) and the processor carries out.
 * Nothing in it depends on the coordinator that made it.
 */
export const SpawnOrder = z.object({
  request: RequestId,
  name: WorkerName,
  project: Project,
  image: z.string(),
  command: z.array(z.string()),
  io: z.enum(['session', 'pipes']),
  remove: z.boolean(),
  replace: z.boolean(),
  limits: LimitsShape,
  env: z.record(z.string(), z.string()),
  /** Name → base64. */
  secrets: z.record(z.string(), z.string()),
  /** Length of the command's input, which is spooled beside the queue; null = it has none. Bytes. */
  input: z.number().nullable().default(null),
  /** Milliseconds the command may run; null = no limit. */
  timeout: z.number().nullable(),
  onNetworkLoss: OnNetworkLoss.default('keep'),
  size: TerminalSize,
  term: z.string(),
  /** Milliseconds since the epoch. */
  receivedAt: z.number(),
  /** Until when the order may wait for room; milliseconds since the epoch. */
  waitUntil: z.number(),
  notices: z.array(z.string()),
})
export type SpawnOrder = z.infer<typeof SpawnOrder>
