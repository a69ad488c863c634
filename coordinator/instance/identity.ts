import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../contract/error-code.ts'
import type { Owner } from '../contract/owner.ts'

/** Who a process is: its pid alone may be somebody else's by now. */
export type Identity = Pick<Owner, 'pid' | 'startTime' | 'bootId' | 'pidNamespace'>

/**
 * What became of a process: `elsewhere` = of another boot or pid namespace, where its pid means nothing to us; `another`
 * = its pid is somebody else's by now; a zombie is gone; `stopped` = by a signal or a tracer, so it hears nothing.
 */
export type Seen = 'alive' | 'stopped' | 'gone' | 'another' | 'elsewhere'

/** The kernel's own bound, PID_MAX_LIMIT. */
const MAX_PID = 4_194_304

/** A pid that a signal may be sent to: never 0, 1 or a negative one, which mean init or whole groups of processes. */
export function isPid(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 1 && value <= MAX_PID
}

/** Who a process is that is there, in our own pid namespace. */
export async function identityOf(pid: number, proc = '/proc'): Promise<Identity> {
  const stat = await statOf(pid, proc)
  if (stat === undefined) throw new Error(`there is no process ${pid}, or ${proc}/${pid}/stat is not understood`)
  return { pid, startTime: stat.startTime, ...(await here(proc)) }
}

/** What became of the process that was known so. Looks at that one process only, never through the table. */
export async function lookFor(known: Identity, proc = '/proc'): Promise<Seen> {
  const { bootId, pidNamespace } = await here(proc)
  if (known.bootId !== bootId || known.pidNamespace !== pidNamespace) return 'elsewhere'
  const stat = await statOf(known.pid, proc)
  if (stat === undefined || 'ZXx'.includes(stat.state)) return 'gone'
  if (stat.startTime !== known.startTime) return 'another'
  return 'Tt'.includes(stat.state) ? 'stopped' : 'alive'
}

async function here(proc: string): Promise<Pick<Identity, 'bootId' | 'pidNamespace'>> {
  const [bootId, pidNamespace] = await Promise.all([
    readFile(join(proc, 'sys/kernel/random/boot_id'), 'utf8'),
    readlink(join(proc, 'self/ns/pid')),
  ])
  return { bootId: bootId.trim(), pidNamespace }
}

type Stat = { state: string; startTime: number }

async function statOf(pid: number, proc: string): Promise<Stat | undefined> {
  try {
    return parseStat(await readFile(join(proc, String(pid), 'stat'), 'utf8'))
  } catch (error) {
    // ESRCH: it ended between the opening and the reading.
    if (['ENOENT', 'ESRCH'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}

/** proc(5): "pid (name) state ..."; the name may hold anything, so fields are counted from the last ")". */
function parseStat(text: string): Stat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0] ?? '', Number(fields[19])]
  return state.length === 1 && Number.isSafeInteger(startTime) ? { state, startTime } : undefined
}
