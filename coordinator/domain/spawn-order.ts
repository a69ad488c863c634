import type { ProjectPath, RequestId, WorkerName } from '../contract/names.ts'
import type { TerminalSize } from '../contract/request.ts'
import type { IoMode, Limits } from '../contract/worker.ts'

/** A project directory as it was found on the host. */
export type Project = {
  /** Real path on the host; also where it is mounted in the worker. */
  path: ProjectPath
  uid: number
  gid: number
  /** "DEVICE:INODE": the worker compares it after the mount, so that a directory swapped in between is noticed. */
  identity: string
}

/**
 * A spawn request with every decision made: what the queue carries (encrypted) and the processor carries out.
 * Nothing in it depends on the coordinator that made it.
 */
export type SpawnOrder = {
  request: RequestId
  name: WorkerName
  project: Project
  image: string
  command: string[]
  io: IoMode
  remove: boolean
  replace: boolean
  limits: Limits
  env: Record<string, string>
  /** Name → base64. */
  secrets: Record<string, string>
  /** Milliseconds the command may run; null = no limit. */
  timeout: number | null
  size: TerminalSize
  term: string
  /** Milliseconds since the epoch. */
  receivedAt: number
  /** Until when the order may wait for room; milliseconds since the epoch. */
  waitUntil: number
  notices: string[]
}
