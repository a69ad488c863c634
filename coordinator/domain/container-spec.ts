import { MAX_INPUT } from '../contract/control.ts'
import type { InstanceName } from '../contract/names.ts'
import type { Limits } from '../contract/worker.ts'
import { workerLabels } from './container.ts'
import { containerName } from './project-hash.ts'
import type { SpawnOrder } from './spawn-order.ts'

/** A container to create, in our words; coordinator/docker/ turns it into the Engine API's. */
export type ContainerSpec = {
  name: string
  image: string
  labels: Record<string, string>
  limits: Limits
  /** `container:ID` of the network's owner, or `none`. */
  network: string
  mounts: { source: string; target: string; readOnly: boolean }[]
  /** Size-bounded memory file systems. Bytes. */
  memoryMounts: { target: string; size: number }[]
  capabilities: readonly string[]
  entrypoint?: readonly string[]
  command?: readonly string[]
  /** Whether the assignment comes over stdin. */
  stdin: boolean
}

/**
 * What the entrypoint needs until it has dropped to the project's owner; the command itself has none.
 * KILL: without it tini cannot signal the dropped process, and dies (facts).
 */
const ENTRYPOINT_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'SETPCAP', 'KILL'] as const

/** Room for sockets, pipes, the argument file, secrets and the command's input below /run. */
const RUN_SIZE = 32 * 1024 * 1024 + MAX_INPUT

/**
 * A worker's container. Neither the command nor the environment are here: they travel in the assignment, so that
 * `docker inspect` shows no secret.
 */
export function workerContainerSpec(instance: InstanceName, order: SpawnOrder, network: string): ContainerSpec {
  const { name, project, request, limits, remove, io, onNetworkLoss } = order
  return {
    name: containerName(instance, project.path, name),
    image: order.image,
    labels: workerLabels(instance, {
      worker: name,
      project: project.path,
      request,
      spec: { limits, remove, io, onNetworkLoss },
    }),
    limits,
    network,
    mounts: [{ source: project.path, target: project.path, readOnly: false }],
    memoryMounts: [{ target: '/run', size: RUN_SIZE }],
    // Of a root-owned project the command is root: it could rewrite the scripts that later run with what is left here.
    capabilities: project.uid === 0 ? [] : ENTRYPOINT_CAPABILITIES,
    stdin: true,
  }
}
