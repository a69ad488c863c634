import { z } from 'zod'

const Inspected = z.object({
  Image: z.string(),
  Config: z.object({ User: z.string(), WorkingDir: z.string() }),
  HostConfig: z.object({
    NetworkMode: z.string(),
    CapAdd: z.array(z.string()),
    CapDrop: z.array(z.string()),
    SecurityOpt: z.array(z.string()),
    Tmpfs: z.record(z.string(), z.string()),
    LogConfig: z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) }),
    Memory: z.number(),
    MemorySwap: z.number(),
    NanoCpus: z.number(),
    PidsLimit: z.number(),
    Mounts: z.array(z.object({ Type: z.literal('bind'), Source: z.string(), Target: z.string() })),
  }),
})

/** The container of a worker in the words of `docker run`: read off a real one, so that both sides stay equal. */
export function flagsLikeWorker(inspected: unknown): { flags: string[]; image: string } {
  const { Image, Config, HostConfig: host } = z.array(Inspected).length(1).parse(inspected)[0]!
  const flags = [
    `--user=${Config.User}`,
    `--workdir=${Config.WorkingDir}`,
    `--network=${host.NetworkMode}`,
    ...host.CapAdd.map((capability) => `--cap-add=${capability}`),
    ...host.CapDrop.map((capability) => `--cap-drop=${capability}`),
    ...host.SecurityOpt.map((option) => `--security-opt=${option}`),
    ...Object.entries(host.Tmpfs).map(([target, options]) => `--tmpfs=${target}:${options}`),
    `--log-driver=${host.LogConfig.Type}`,
    ...Object.entries(host.LogConfig.Config).map(([key, value]) => `--log-opt=${key}=${value}`),
    `--memory=${host.Memory}`,
    `--memory-swap=${host.MemorySwap}`,
    `--cpus=${host.NanoCpus / 1e9}`,
    `--pids-limit=${host.PidsLimit}`,
    ...host.Mounts.map((mount) => `--mount=type=bind,source=${mount.Source},target=${mount.Target}`),
  ]
  return { flags, image: Image }
}
