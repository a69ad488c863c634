import { Failure, type FailureCode } from '../contract/failure.ts'
import type { EndReason, Spawned } from '../contract/worker.ts'
import { WAITS_FOR_ENGINE, waitsForEngine } from '../domain/outage.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import type { Outage } from './outage.ts'
import { spawn, type SpawnContext } from './spawn.ts'

export type CarryOutContext = SpawnContext & { outage: Outage }

/**
 * Carries out one order. While the engine is away it waits, as long as it may, and is gone on with where it stood, as after a
 * crash (`begun`: a coordinator that died in the middle hands the order on). Fails with what the client is told.
 */
export async function carryOut(order: SpawnOrder, begun: boolean, context: CarryOutContext): Promise<Spawned> {
  const { roster, outage, note, now } = context
  const { request, name, project } = order
  try {
    for (let again = begun; ; again = true) {
      try {
        return await spawn(order, again, context)
      } catch (error) {
        const failure = Failure.from(error)
        if (!waitsForEngine(order, failure, now())) throw failure
        roster.underway.set(request, { order, state: 'queued', because: WAITS_FOR_ENGINE })
        await outage.wait(order, failure, now)
      }
    }
  } catch (error) {
    const failure = Failure.from(error)
    await abandon(order, failure, context)
    // Taken back: whoever did that has told of it.
    if (failure.code !== 'interrupted')
      note({ kind: 'worker-failed', worker: name, project: project.path, request, message: failure.message })
    throw failure
  } finally {
    roster.underway.delete(request)
  }
}

/** How an order may end while the engine is away, and how the end of its worker is told then. */
const GIVEN_UP: Partial<Record<FailureCode, EndReason>> = { 'engine-unreachable': 'failed', interrupted: 'cancelled' }

/** What an order that is given up has on the engine must not go on: the reconcile loop ends it when the engine is back. */
async function abandon({ request }: SpawnOrder, { code }: Failure, context: CarryOutContext): Promise<void> {
  const { records, now } = context
  const record = records.get(request)
  const reason = GIVEN_UP[code]
  if (reason === undefined || record === undefined || record.readyAt !== null || record.stop !== null) return
  await records.put({ ...record, stop: { reason, at: now(), grace: 0 } })
}
