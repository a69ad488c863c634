import type { ContainerCreateOptions, HostConfig } from 'dockerode'
import type { ContainerSpec } from '../domain/container-spec.ts'

/**
 * The bound on a worker's log, as JSON: at least the last 50 MB are there. No smaller files, because who follows a log over
 * the change of a file misses lines and sees others twice (seen on 20.10). Not `local`, which keeps bytes that are no UTF-8
 * and takes less room, but loses the newline of a line above 16 KiB (also 20.10).
 */
const LOG = { Type: 'json-file', Config: { 'max-size': '50m', 'max-file': '2' } }

/** A container's spec in the Engine API's words. Source: Docker Engine API 1.41, "Create a container". */
export function containerOptions(spec: ContainerSpec): ContainerCreateOptions {
  return {
    name: spec.name,
    Image: spec.image,
    Labels: spec.labels,
    User: '0:0',
    WorkingDir: '/',
    Tty: false,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdin,
    AttachStdin: spec.stdin,
    AttachStdout: true,
    AttachStderr: true,
    ...(spec.entrypoint ? { Entrypoint: [...spec.entrypoint] } : {}),
    ...(spec.command ? { Cmd: [...spec.command] } : {}),
    HostConfig: hostConfig(spec),
  }
}

function hostConfig(spec: ContainerSpec): HostConfig {
  const { memory, cpus, pids } = spec.limits
  return {
    NetworkMode: spec.network,
    // Never AutoRemove: the exit record is written first. Never a restart policy: a command runs once.
    AutoRemove: false,
    CapDrop: ['ALL'],
    CapAdd: [...spec.capabilities],
    SecurityOpt: ['no-new-privileges:true'],
    Mounts: spec.mounts.map((mount) => ({
      Type: 'bind' as const,
      Source: mount.source,
      Target: mount.target,
      ReadOnly: mount.readOnly,
    })),
    Tmpfs: Object.fromEntries(
      spec.memoryMounts.map((mount) => [mount.target, `rw,nosuid,nodev,mode=755,size=${mount.size}`]),
    ),
    LogConfig: LOG,
    // Swap is pinned to the memory limit: a worker that swaps is slower than one that is told.
    ...(memory === null ? {} : { Memory: memory, MemorySwap: memory }),
    ...(cpus === null ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    ...(pids === null ? {} : { PidsLimit: pids }),
  }
}
