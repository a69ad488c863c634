import { lstat, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { lookFor } from '../../../coordinator/instance/identity.ts'
import { claimOf, LOCK_FILE } from '../../../coordinator/instance/lock.ts'
import { type OwnerRecord, readOwnerRecord } from '../../../coordinator/instance/owner-record.ts'
import { type Facts, judge, type Standing } from '../../../coordinator/instance/standing.ts'
import type { Context, World } from '../context.ts'
import { handshake } from './handshake.ts'
import { lookAtService } from './supervisor.ts'

/** How long a handshake may take; and how long once more, where the process runs and the machine may be slow. Milliseconds. */
const ANSWER = 2_000
const SECOND_ANSWER = 5_000
/** flock's exit code for a lock that is held; its own default is 1, as for everything else. */
const CONFLICT = 75

/** The daemon as it is now: the facts, and what they come to. `home` is the state directory, its path without links. */
export type Look = { home: string; facts: Facts; standing: Standing }

/** Looks from outside of the coordinator, and disturbs nothing. `supervised: false` leaves the supervisor out. */
export async function lookAtDaemon(context: Context, supervised = true): Promise<Look> {
  const home = await stateDirectory(context)
  const first = await handshake(context, ANSWER)
  const record = await readOwnerRecord(home)
  const process = await lookForOwner(record, home)
  const running = first.answer === 'silent' && process?.seen === 'alive'
  const facts: Facts = {
    instance: context.env['HAL9000_NAME'] || 'hal9000',
    handshake: running ? await handshake(context, SECOND_ANSWER) : first,
    record,
    process,
    lock: await lookAtLock(context, home),
    service: supervised ? await lookAtService(context, home) : null,
    now: context.now(),
  }
  return { home, facts, standing: judge(facts) }
}

async function lookForOwner(record: OwnerRecord, home: string): Promise<Facts['process']> {
  if (record.found !== 'owner') return null
  const seen = await lookFor(record.owner)
  const there = seen === 'alive' || seen === 'stopped'
  return { seen, claim: there ? await claimOf(record.owner.pid, home) : 'none' }
}

/**
 * Whether somebody holds the lock: a shared one is asked for, and is given back in the same moment. Whoever starts waits
 * for the lock, so that moment keeps nobody from it.
 */
async function lookAtLock(world: World, home: string): Promise<Facts['lock']> {
  const path = join(home, LOCK_FILE)
  // flock would make a file that is missing, and follow a link.
  const facts = await lstat(path).catch(() => undefined)
  if (facts?.isFile() !== true) return 'missing'
  const asked = ['--nonblock', '--shared', '--conflict-exit-code', String(CONFLICT), path, 'true']
  return (await world.execute('flock', asked)).code === CONFLICT ? 'held' : 'free'
}

/** The entrypoint chooses it and leaves a link, because commands of `docker exec` do not have its environment. */
async function stateDirectory(world: World): Promise<string> {
  const home = world.env['HAL9000_HOME'] || (await readlink('/run/hal9000/home').catch(() => '')) || '/var/lib/hal9000'
  return await realpath(home).catch(() => home)
}
