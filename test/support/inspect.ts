import { succeed } from './run.ts'

/** What the engine shows of a container, as far as tests look at it. */
export type Inspected = {
  State: { Status: string; Pid: number }
  Config: { Labels: Record<string, string>; Cmd: string[] | null; Env: string[] }
  HostConfig: {
    Memory: number
    MemorySwap: number
    NanoCpus: number
    PidsLimit: number | null
    NetworkMode: string
    CapDrop: string[] | null
    CapAdd: string[] | null
    Privileged: boolean
  }
  Mounts: { Type: string; Source: string; Destination: string }[]
}

/** A container as the engine shows it, and all of that as text. */
export async function inspectContainer(id: string): Promise<Inspected & { text: string }> {
  const text = await succeed('docker', ['container', 'inspect', id])
  const [found] = JSON.parse(text) as [Inspected]
  return { ...found, text }
}
