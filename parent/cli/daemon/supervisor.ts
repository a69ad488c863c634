import { Failure } from '../../../coordinator/contract/failure.ts'
import { isPid } from '../../../coordinator/instance/identity.ts'
import { claimOf } from '../../../coordinator/instance/lock.ts'
import type { Service } from '../../../coordinator/instance/standing.ts'
import type { World } from '../context.ts'

/** The service directory of the coordinator, where s6 supervises it. */
const SERVICE = '/run/hal9000/service/coordinator'

/** What the supervisor says of the service; null where nobody supervises it. `home` without links. */
export async function lookAtService(world: World, home: string): Promise<Service | null> {
  const fields = 'up,wantedup,normallyup,pid,exitcode,signal,updownfor'
  const { code, stdout } = await world.execute('s6-svstat', ['-o', fields, SERVICE])
  const [up, wanted, normallyUp, pid = '', exitCode = '', signal = '', since] = stdout.trim().split(' ')
  if (code !== 0 || since === undefined) return null
  // -1 while it is down, which kill(2) would take for everybody.
  const process = up === 'true' && isPid(Number(pid)) ? Number(pid) : null
  return {
    up: up === 'true',
    wanted: wanted === 'true',
    held: normallyUp === 'false',
    pid: process,
    claim: process === null ? 'none' : await claimOf(process, home),
    lastEnd: lastEnd(exitCode, signal),
    since: Number(since) * 1000,
  }
}

/** Has the service kept down once its process has ended, also by a supervisor that is new. Sends no signal. */
export function holdService(world: World): Promise<void> {
  return tell(world, '-Q')
}

/** Has the service started, and started again whenever it ends. */
export function releaseService(world: World): Promise<void> {
  return tell(world, '-U')
}

/** Asks the service's process to leave: TERM, by its parent, to whom no other process can have its pid. */
export function askService(world: World): Promise<void> {
  return tell(world, '-t')
}

async function tell(world: World, order: string): Promise<void> {
  const { code } = await world.execute('s6-svc', [order, SERVICE])
  if (code === 0) return
  throw new Failure('not-ready', `Nobody supervises the coordinator: s6-svc ended with ${code} for ${SERVICE}.`, {
    hint: './hal9000 restart',
  })
}

/** svstat says -1 or NA for what does not apply. */
function lastEnd(exitCode: string, signal: string): string | null {
  if (signal !== '' && signal !== 'NA') return signal
  return /^\d+$/.test(exitCode) ? `exit code ${exitCode}` : null
}
