import type { FailureShape } from './failure.ts'

/** Version of every JSON object that commands print; raised when a field changes its meaning or goes away. */
export const SCHEMA_VERSION = 1

export type WorkerState = 'queued' | 'creating' | 'starting' | 'running' | 'paused' | 'stopping' | 'lost' | 'ended'

/** Why a worker ended. */
export const END_REASONS = [
  'exited',
  'stopped',
  'oom',
  'timeout',
  'network-lost',
  'never-assigned',
  'engine-stopped',
  'cancelled',
  'failed',
] as const
export type EndReason = (typeof END_REASONS)[number]

/**
 * What is true of a worker that still runs. `network-lost`: the network it joined is gone, for good. `limit-hit`: processes of
 * it were killed for want of memory, or its time is over. `stopping-late`: it was to stop, and still runs when its grace is over.
 */
export type Condition = 'network-lost' | 'limit-hit' | 'needs-input' | 'stopping-late'

/** What becomes of a worker that has lost its network: it is told and goes on, or it is stopped. */
export type OnNetworkLoss = 'keep' | 'stop'

/** Caps, not reservations. null = no cap. Memory in bytes, cpus in cores (fractions allowed), pids in processes. */
export type Limits = { memory: number | null; cpus: number | null; pids: number | null }

/** How the command is run: in a tmux session, or with plain pipes (`--no-tty`). */
export type IoMode = 'session' | 'pipes'

/** One worker as `list`, `inspect`, `spawn` and the dashboard show it. Times are ISO 8601 UTC. */
export type Worker = {
  name: string
  project: string
  /** Container id, empty while there is no container yet. */
  id: string
  request: string
  state: WorkerState
  reason: EndReason | null
  exitCode: number | null
  signal: string | null
  image: string
  command: string[]
  io: IoMode
  createdAt: string
  startedAt: string | null
  endedAt: string | null
  limits: Limits
  /** How long its command may run; null = no limit. Milliseconds. */
  timeout: number | null
  onNetworkLoss: OnNetworkLoss
  /** As in the exit record; null while it runs. */
  oomKills: number | null
  pidsLimitHits: number | null
  /** Terminals attached through the coordinator now. */
  attached: number
  conditions: Condition[]
}

/** What is kept of a finished worker; outlives its container. */
export type ExitRecord = {
  reason: EndReason
  /** The command's exit code; null when it cannot be known (the container is gone, the command never ran). */
  exitCode: number | null
  /** Name without SIG, when a signal ended the command. */
  signal: string | null
  startedAt: string | null
  endedAt: string
  /** Whether any of its processes was killed for want of memory; also true when only a child was. */
  oomKilled: boolean
  /** Processes the kernel killed for memory; null = could not be read. */
  oomKills: number | null
  /** How often the process limit refused a fork; null = could not be read. */
  pidsLimitHits: number | null
  /** One sentence for people, when there is more to say than the reason. */
  message: string | null
  /** The log's file name below logs/workers/, null when there was no container to read from. */
  log: string | null
  /** Whether the log grew beyond its bound, so that its beginning is gone. */
  logCut: boolean
  /** Size of the kept log. Bytes. */
  logBytes: number
}

/** Foreground or detached, and why (flag > marker > default). */
export type RunMode = { mode: 'foreground' | 'detached'; because: string }

/** What a spawn came to: the worker, what to tell the person, and the time of each stage in milliseconds since its receipt. */
export type Spawned = { worker: Worker; notices: string[]; timings: Record<string, number> }

/** The answer to a spawn. */
export type SpawnResult = Spawned & { run: RunMode }

/** The answer to `inspect` and `wait`: the worker, and its exit record once it has ended. */
export type WorkerDetail = { worker: Worker; exit: ExitRecord | null }

/** The answer to `stop`: also a notice when there was nothing left to do. */
export type StopResult = WorkerDetail & { notices: string[] }

/** The answer to `rm`: the worker as it was last known. */
export type RemoveResult = StopResult

/** The answer to `stop-all`. */
export type StopAllResult = { stopped: WorkerDetail[]; failed: { name: string; error: FailureShape }[] }

/**
 * How an attachment came to its end: the client left; the worker's own command ended; the shell or command that was run
 * beside it did (null = how cannot be known); the coordinator left, and has detached or hung up.
 */
export type AttachOutcome =
  | { outcome: 'detached'; worker: Worker }
  | { outcome: 'ended'; worker: Worker; exit: ExitRecord | null }
  | { outcome: 'exited'; worker: Worker; exitCode: number | null }
  | { outcome: 'coordinator-left'; worker: Worker }

/** Whose network the workers join. `lost`: the holder's, which the parent itself has lost. */
export type NetworkKind = 'holder' | 'parent' | 'lost'

/**
 * Whether a worker can be spawned now. `starting`: not yet, soon after the start. `degraded`: something that a spawn needs is
 * away (the engine, Redis, the network); workers go on, and so does the coordinator once it is back.
 */
export type Readiness = 'starting' | 'ready' | 'degraded'

/** `coordinator status`. What cannot be known now is null: without the engine there may be any number of workers. */
export type Status = {
  instance: string
  version: string
  state: Readiness
  /** The same as the state `ready`. */
  ready: boolean
  problems: string[]
  /** What a person should know though it hinders nothing. */
  notices: string[]
  engine: { version: string; apiVersion: string; cpus: number; memory: number; cgroup: string } | null
  network: NetworkKind | null
  projectRoots: string[]
  workers: Record<WorkerState, number> | null
  /** How many running workers each condition is true of. */
  conditions: Record<Condition, number> | null
  queue: { waiting: number | null; active: number | null; maxWorkers: number }
  startedAt: string
  startup: Record<string, number>
}
