import type { Seen } from '../domain/deployment/plan.ts'
import type { DeploymentSpec } from '../domain/deployment/specs.ts'

/** A name was taken between the look and the deed: another `up` is at work. */
export class Overtaken extends Error {}

/** The source of a bind mount is not there. */
export class SourceMissing extends Error {
  readonly path: string

  constructor(path: string) {
    super(`the directory ${path} is not there`)
    this.path = path
  }
}

/** The host's mounts are private (no systemd), so that a container cannot follow them. */
export class MountsPrivate extends Error {}

/** What `up` and `down` need of the engine, for one instance. Effects can be repeated: what is done already is success. */
export type Deployment = {
  see(): Promise<Seen>
  /** The id of an image; undefined when it is not on this host. */
  imageId(reference: string): Promise<string | undefined>
  /** The engine's data directory on the host. */
  engineDirectory(): Promise<string>
  createNetwork(): Promise<void>
  createVolume(): Promise<void>
  removeNetwork(): Promise<void>
  removeVolume(): Promise<void>
  holderId(): Promise<string>
  /** Creates a container; its id. Throws Overtaken or SourceMissing where that is why it cannot. */
  create(spec: DeploymentSpec): Promise<string>
  rename(id: string, name: string): Promise<void>
  /** Throws MountsPrivate where the container's spec says followMounts and the host cannot have that. */
  start(id: string): Promise<void>
  unpause(id: string): Promise<void>
  /** TERM, and KILL after `grace` seconds. */
  stop(id: string, grace: number): Promise<void>
  /** Removes a container of ours, running or not. */
  remove(id: string): Promise<void>
  /** Runs a command in a running container; its exit code, or null when it cannot be known. */
  run(id: string, command: readonly string[]): Promise<number | null>
  /** The last lines of a container's log. */
  logTail(id: string, lines: number): Promise<string>
}
