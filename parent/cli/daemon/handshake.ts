import { ROUTE } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Owner } from '../../../coordinator/contract/owner.ts'
import type { Handshake } from '../../../coordinator/instance/standing.ts'
import type { Context } from '../context.ts'
import { Cut } from '../cut.ts'

/**
 * Asks whoever listens on the control socket who they are. The kernel accepts connections for a process that is stopped, so
 * an accepted one says nothing: only an answer within the time does. Milliseconds.
 */
export async function handshake(context: Context, within: number): Promise<Handshake> {
  try {
    const { schemaVersion: _, ...owner } = await context.control.call<Owner & { schemaVersion: number }>({
      path: ROUTE.owner,
      patience: 0,
      answerWithin: within,
    })
    return { answer: 'owner', owner }
  } catch (error) {
    const nobody = error instanceof Failure && error.cause instanceof Cut && error.cause.kind === 'absent'
    return { answer: nobody ? 'nobody' : 'silent' }
  }
}
