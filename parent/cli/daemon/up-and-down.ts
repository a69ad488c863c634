import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Owner } from '../../../coordinator/contract/owner.ts'
import { endOwner } from '../../../coordinator/instance/end-owner.ts'
import { homeTrouble } from '../../../coordinator/instance/home.ts'
import type { Context } from '../context.ts'
import { pause } from '../persist.ts'
import { handshake } from './handshake.ts'
import { lookAtDaemon, type Look } from './look.ts'
import { askService, holdService, releaseService } from './supervisor.ts'

/** How long a start may take to the first answer. Milliseconds. */
const START = 30_000
/** How long one that is asked to leave may take; it needs less than 2 s. Milliseconds. */
const LEAVE = 5_000
/** One answer to a handshake. Milliseconds. */
const ANSWER = 2_000
const STEP = 100
/** A whole look costs two processes: a start that many wait for must not be slowed by them. Milliseconds. */
const LOOK = 1_000
const LOGS = 'coordinator daemon logs --tail 20'
/** A verdict that ends a start must be found this long: a machine may be slow for a moment. Milliseconds. */
const SURE = 2_000

/**
 * Brings the coordinator up and answers with its owner, after a handshake; one that is there already is the answer.
 * Fails with `instance-locked` when somebody holds the lock and does not answer, else with `not-ready` and the reason.
 */
export async function start(context: Context, before: Owner | null = null): Promise<Owner> {
  const begun = context.now()
  // One that answers may be kept down all the same, for when it ends: not any more.
  const [released, answered] = await Promise.allSettled([releaseService(context), answerOf(context, before)])
  if (answered.status === 'fulfilled' && answered.value !== undefined) return answered.value
  if (released.status === 'rejected') throw released.reason
  let looked = begun
  let stuckSince: number | undefined
  while (context.now() - begun < START) {
    const owner = await answerOf(context, before)
    if (owner !== undefined) return owner
    if (context.now() - looked >= LOOK) {
      const look = await lookAtDaemon(context)
      looked = context.now()
      stuckSince = isStuck(look) ? (stuckSince ?? looked) : undefined
      // One that is stopped by a signal will not do better; of the others time tells.
      const sure = isDeaf(look) ? 0 : SURE
      if (stuckSince !== undefined && looked - stuckSince >= sure) throw locked(look)
      const trouble = await homeTrouble(look.home)
      if (trouble !== undefined)
        throw new Failure('not-ready', `The coordinator cannot start. ${trouble}`, { hint: LOGS })
    }
    await pause(STEP, undefined)
  }
  throw await notUp(context)
}

/** Has the coordinator leave, and keeps it down until `start`. False when nobody was there. */
export async function stop(context: Context, force: boolean): Promise<boolean> {
  await holdService(context)
  const look = await lookAtDaemon(context)
  const wasThere = isThere(look)
  if (wasThere) await leave(context, look, force, 'coordinator daemon stop --force')
  return wasThere
}

/** Has the coordinator leave, whoever it is, and brings up the next one. Where none is there it is a start. */
export async function restart(context: Context, force: boolean): Promise<Owner> {
  const look = await lookAtDaemon(context)
  if (isThere(look)) await leave(context, look, force, 'coordinator daemon restart --force')
  return await start(context, look.standing.owner)
}

/** By request first. With `force` the owner is ended, if it can be proven that it is the one. */
async function leave(context: Context, look: Look, force: boolean, harder: string): Promise<void> {
  const asked = look.facts.service?.up === true
  if (asked) await askService(context)
  if (asked && !isDeaf(look) && (await hasLeft(context, look))) return
  const { owner, because } = look.standing
  if (owner === null) {
    throw new Failure('instance-locked', `It is not proven who holds this instance, so nobody was ended: ${because}.`, {
      hint: './hal9000 restart',
    })
  }
  if (!force) {
    throw new Failure(
      'instance-locked',
      `The coordinator (process ${owner.pid}) ${asked ? 'was asked to leave and did not' : 'is not the one that the supervisor can ask'}: ${because}.`,
      { hint: harder },
    )
  }
  await endOwner(owner, look.home)
  if (await hasLeft(context, look)) return
  throw new Failure('instance-locked', `Process ${owner.pid} was ended, but the lock is still held.`, {
    hint: 'coordinator daemon status',
  })
}

/** Whether the one that was seen has left, within its time. A successor may be there by then. */
async function hasLeft(context: Context, before: Look): Promise<boolean> {
  const begun = context.now()
  for (;;) {
    const now = await lookAtDaemon(context)
    if (!isThere(now) || isAnother(now.standing.owner, before.standing.owner)) return true
    if (context.now() - begun >= LEAVE) return false
    await pause(STEP, undefined)
  }
}

/** A process that holds the lock, answers, or is about to. */
function isThere({ facts: { lock, service, handshake, process } }: Look): boolean {
  const lost = process?.claim === 'lost'
  return lock === 'held' || service?.up === true || handshake.answer === 'owner' || lost
}

function isStuck({ standing: { state } }: Look): boolean {
  return state === 'wedged' || state === 'foreign'
}

/** The owner is stopped by a signal, and hears nothing. */
function isDeaf({ facts: { process } }: Look): boolean {
  return process?.seen === 'stopped'
}

/** Who answers, unless it is still the one from before. */
async function answerOf(context: Context, before: Owner | null): Promise<Owner | undefined> {
  const answer = await handshake(context, ANSWER)
  return answer.answer === 'owner' && isAnother(answer.owner, before) ? answer.owner : undefined
}

function isAnother(owner: Owner | null, before: Owner | null): boolean {
  return owner !== null && (owner.epoch !== before?.epoch || owner.pid !== before.pid)
}

function locked({ standing }: Look): Failure {
  const { state, because, owner } = standing
  if (state === 'foreign') {
    return new Failure('instance-locked', `Another coordinator holds this instance: ${because}.`, {
      hint: 'coordinator daemon status',
    })
  }
  const who = owner === null ? 'The coordinator' : `The coordinator (process ${owner.pid})`
  return new Failure('instance-locked', `${who} is ${state}: ${because}.`, {
    hint: 'coordinator daemon restart --force',
  })
}

/** Why it did not come up, as far as can be seen from here. */
async function notUp(context: Context): Promise<Failure> {
  const { state, because } = (await lookAtDaemon(context)).standing
  return new Failure(
    'not-ready',
    `The coordinator did not answer within ${START / 1000} s: it is ${state}, ${because}.`,
    {
      hint: LOGS,
    },
  )
}
