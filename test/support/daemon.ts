import type { Owner } from '../../coordinator/contract/owner.ts'
import type { Instance } from './instance.ts'
import { type Process, processes, signal } from './processes.ts'
import { run, succeed, until } from './run.ts'

export const SERVICE = '/run/hal9000/service/coordinator'
export const HOME = '/var/lib/hal9000'

export type DaemonState = { state: string; because: string; owner: Owner | null; problems: string[]; lock: string }

/** `coordinator daemon status --json`, whatever it exits with. */
export function daemonStatus(instance: Instance): Promise<DaemonState> {
  return instance.json<DaemonState>(['daemon', 'status'])
}

/** Waits for one that answers; its owner. */
export function untilHealthy(instance: Instance, within = 30_000): Promise<Owner> {
  const healthy = async (): Promise<Owner | false> => {
    const { state, owner } = await daemonStatus(instance)
    return state === 'healthy' && owner !== null && owner
  }
  return until('the coordinator is healthy', healthy, within)
}

/** The processes of coordinators in the parent. */
export async function daemons(instance: Instance): Promise<Process[]> {
  return (await processes(instance)).filter(
    ({ command, state }) => /^node .*daemon\.cjs/.test(command) && state !== 'Z',
  )
}

/** A process in the parent that nobody should care about; its pid. */
export async function bystander(instance: Instance, words: readonly string[]): Promise<number> {
  await succeed('docker', ['exec', '-d', instance.parent, ...words])
  const line = words.slice(words.lastIndexOf('sleep')).join(' ')
  const found = await until('it runs', async () => (await processes(instance)).find(({ command }) => command === line))
  return found.pid
}

/** Starts a coordinator as a person would who does not know of the supervisor. */
export async function startByHand(instance: Instance): Promise<void> {
  const command = `exec flock -F ${HOME}/coordinator.lock node /usr/lib/hal9000/daemon.cjs >/tmp/by-hand.log 2>&1`
  await succeed('docker', ['exec', '-d', instance.parent, 'sh', '-c', command])
}

export async function isAlive(instance: Instance, pid: number): Promise<boolean> {
  return (await processes(instance)).some((one) => one.pid === pid && one.state !== 'Z')
}

/** Signals the process that holds the instance; its pid. */
export async function signalOwner(instance: Instance, name: string): Promise<number> {
  const { owner } = await daemonStatus(instance)
  if (owner === null) throw new Error('nobody is known to hold the instance')
  await signal(instance, name, owner.pid)
  return owner.pid
}

/** The parent's log. */
export async function parentLog(instance: Instance): Promise<string> {
  const { stdout, stderr } = await run('docker', ['logs', instance.parent])
  return stdout + stderr
}
