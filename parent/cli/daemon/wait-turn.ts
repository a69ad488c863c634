import { Failure } from '../../../coordinator/contract/failure.ts'
import { endOwner } from '../../../coordinator/instance/end-owner.ts'
import { readEnforcement } from '../../../coordinator/instance/enforcement.ts'
import type { Standing } from '../../../coordinator/instance/standing.ts'
import type { Context } from '../context.ts'
import { pause } from '../persist.ts'
import { write } from '../write.ts'
import { lookAtDaemon } from './look.ts'

/** How long a holder must have been wedged until it is ended, where that is wanted. Milliseconds. */
const PATIENCE = 10_000
const STEP = 500

/**
 * For the service, before it takes the lock: returns when nobody holds it. Says who does, once for each change. A wedged
 * owner of this instance, proven by its identity, is ended where `enforceSingleDaemonProcess` is on; nobody else ever is.
 */
export async function waitTurn(context: Context): Promise<void> {
  let said = ''
  let wedgedSince: number | undefined
  for (;;) {
    const { home, facts, standing } = await lookAtDaemon(context, false)
    if (facts.lock !== 'held') return
    if (said !== standing.because)
      await say(context, `the lock of this state directory is held; waiting: ${standing.because}`)
    said = standing.because
    wedgedSince = standing.state === 'wedged' ? (wedgedSince ?? context.now()) : undefined
    if (wedgedSince !== undefined && context.now() - wedgedSince >= PATIENCE) {
      await endPredecessor(context, standing, home)
      wedgedSince = undefined
    }
    await pause(STEP, undefined)
  }
}

async function endPredecessor(context: Context, { owner }: Standing, home: string): Promise<void> {
  const { enforced, because } = await readEnforcement(home, context.env)
  if (!enforced || owner === null) {
    await say(context, `the wedged predecessor is left alone (${because}); next: coordinator daemon restart --force`)
    return
  }
  try {
    await endOwner(owner, home)
    await say(context, `the wedged predecessor, process ${owner.pid} of epoch ${owner.epoch}, was ended (${because})`)
  } catch (error) {
    await say(context, `the wedged predecessor is left alone: ${Failure.from(error).message}`)
  }
}

/** A line as the daemon's own, for the parent's log. */
async function say(context: Context, msg: string): Promise<void> {
  await write(context.stdout, `${JSON.stringify({ level: 40, time: context.now(), name: 'coordinator', msg })}\n`)
}
