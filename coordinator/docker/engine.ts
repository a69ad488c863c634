import type { Frame } from '../contract/frames.ts'
import type { ContainerId } from '../contract/names.ts'
import type { PullProgress } from '../contract/pull.ts'
import type { TerminalSize } from '../contract/request.ts'
import type { ContainerSpec } from '../domain/container-spec.ts'
import type { Container } from '../domain/container.ts'
import type { Ended } from '../domain/exit.ts'
import type { NetworkOwner } from '../domain/network.ts'
import type { Said } from '../domain/worker-says.ts'

/**
 * What the coordinator needs of a container engine, in our words. Every call has a deadline of its own and fails with
 * `engine-unreachable` past it. Effects can be repeated: what is done already is success.
 */
export type Engine = {
  host(): Promise<EngineHost>
  /** The image's facts; undefined when it is not on this host. */
  image(reference: string): Promise<Image | undefined>
  /**
   * Fetches an image from its registry; again only what is not here already. `onProgress` hears every sign of life. Has no
   * deadline: `signal` ends it, and is why it fails then. Fails with `pull-failed` and the engine's words.
   */
  pull(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<void>
  /** Since when a container runs, whosever it is, if it does. */
  runningSince(id: ContainerId): Promise<NetworkOwner>
  /** The containers of this instance, in every state. */
  containers(): Promise<Container[]>
  /** One container by its exact name or id; undefined when there is none. */
  find(nameOrId: string): Promise<Container | undefined>
  /** Creates a container; `taken` when its name is: the only lock on a name there is. Fails with `image-missing`. */
  create(spec: ContainerSpec): Promise<ContainerId | 'taken'>
  /** Opens the line to a created worker, before it is started. */
  connect(id: ContainerId): Promise<WorkerLine>
  start(id: ContainerId): Promise<void>
  /** TERM, and KILL after `grace` seconds. Returns when the container has ended. */
  stop(id: ContainerId, grace: number): Promise<void>
  /** Removes a container that has ended, or was never started; never one that runs. Returns when it is gone. */
  remove(id: ContainerId): Promise<void>
  /** The facts of an ended container; undefined while it runs or when it is gone. */
  ended(id: ContainerId): Promise<Ended | undefined>
  /** What a container uses, measured over a second; undefined when it does not run. */
  usage(id: ContainerId): Promise<Usage | undefined>
  /** Opens a container's log; undefined when the container is gone, or is just being removed. */
  logs(id: ContainerId, options: LogOptions): Promise<AsyncIterable<LogEntry> | undefined>
  /** A process with a terminal in a running container, as the container's root. Throws `wrong-state` where it has ended. */
  terminal(id: ContainerId, command: readonly string[], size: TerminalSize): Promise<Terminal>
  /** A process with plain pipes in a running container, as the container's root. Throws `wrong-state` where it has ended. */
  pipes(id: ContainerId, command: readonly string[]): Promise<Process>
  /** Runs a command in a running container to its end, without input or output; its exit code. */
  run(id: ContainerId, command: readonly string[]): Promise<number>
  /** Container events of this instance from now on, until the signal; ends when the engine goes. Hints, not truth. */
  events(signal: AbortSignal): AsyncIterable<EngineEvent>
}

export type EngineHost = {
  version: string
  apiVersion: string
  cpus: number
  /** Bytes. */
  memory: number
  /** Where the engine keeps its own data, on the host. */
  dataDirectory: string
  cgroup: string
}

export type Image = { id: string; labels: Record<string, string> }

/** What a running container uses; null = could not be read. */
export type Usage = {
  /** Cores, over the time that was measured. */
  cores: number | null
  /** Bytes, without what is only cached of files. */
  memory: number | null
  /** Processes and threads, as the limit counts them. */
  pids: number | null
}

/** One entry of a container's log. */
export type LogEntry = Frame & { at: string }

export type LogOptions = {
  follow: boolean
  /** Last n entries only. */
  tail?: number
  /** Milliseconds since the epoch. */
  since?: number
  signal?: AbortSignal
}

export type EngineEvent = { id: ContainerId; action: string }

/** The line to a worker that is being started: its assignment goes in, what it says comes out. */
export type WorkerLine = {
  /** Sends the assignment and closes the worker's stdin. */
  assign(assignment: Buffer): Promise<void>
  /** The first thing the worker says; undefined when it ended without a word. `deadline` in milliseconds. */
  heard(deadline: number): Promise<Said | undefined>
  close(): void
}

/** A process in a container beside its main one. */
export type Process = {
  /** Its input; and its output, raw from a terminal, else in frames (contract/frames.ts). Ends with the process. */
  stream: import('node:stream').Duplex
  /** Once the stream has ended; null when it cannot be known. */
  exitCode(): Promise<number | null>
}

/** A process whose input and output are a terminal. */
export type Terminal = Process & { resize(size: TerminalSize): Promise<void> }
