import { availableParallelism, loadavg, totalmem } from 'node:os'
import { timed } from './command.ts'

/** What of the machine matters to the figures, in neutral words. */
export type Machine = {
  cores: number
  /** GB, 10⁹ bytes. */
  memory: number
  engine: string
  client: string
  cgroup: string
  storage: string
  /** Load average of the last minute at the start: on a quiet machine near 0. */
  load: number
}

export async function readMachine(): Promise<Machine> {
  const format = '{{.ServerVersion}}|{{.CgroupVersion}}|{{.Driver}}'
  const [engine = '', cgroup = '', storage = ''] = (await timed('docker', ['info', '--format', format])).stdout
    .trim()
    .split('|')
  const client = (await timed('docker', ['version', '--format', '{{.Client.Version}}'])).stdout.trim()
  const memory = Math.round(totalmem() / 1e9)
  return {
    cores: availableParallelism(),
    memory,
    engine,
    client,
    cgroup,
    storage,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}
