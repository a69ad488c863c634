import { limitsMet } from '../contract/end-words.ts'
import type { WorkerContainer } from '../domain/container.ts'
import type { WorkerRecord } from '../domain/worker-record.ts'
import type { Step } from '../domain/reconcile.ts'
import { unseenEnd } from '../domain/exit.ts'
import type { Context } from '../workers/context.ts'
import { adopted, discard, finish, recordEnd } from '../workers/finish.ts'
import { putEnd } from '../workers/milestones.ts'
import { stopContainer } from '../workers/stop.ts'

/** Seconds between TERM and KILL of a worker that nobody stops but its time or its loss. */
const GRACE = 10

const VANISHED = 'Its container was removed by someone else before its end could be read.'

/** Does one step of the plan. No decisions here: they are in the plan. */
export async function perform(step: Step, context: Context): Promise<void> {
  const { engine, records, note, now } = context
  switch (step.do) {
    case 'adopt': {
      const since = await engine.runningSince(step.container.id)
      if (typeof since !== 'number') return // It has just ended; the next pass records that.
      await records.put({ ...adopted(step.container), readyAt: since })
      note({ ...about(step), kind: 'worker-adopted', message: step.because })
      return
    }
    case 'tell-limit-hit':
      await change(step.container, { limitHitAt: now() }, context)
      note({ ...about(step), kind: 'worker-limit-hit', message: limitHit(step.container) })
      return
    case 'tell-network-lost':
      await change(step.container, { networkLostAt: now() }, context)
      note({ ...about(step), kind: 'worker-network-lost', message: step.because })
      return
    case 'stop-for-network':
      await stopContainer(step.container, { reason: 'network-lost', at: now(), grace: GRACE }, context)
      return
    case 'record-end':
      await recordEnd(step.container, context)
      return
    case 'remove':
      // Its end may be known and not on disk yet.
      await finish(step.container, context)
      return
    case 'discard':
      await discard(step.container, 'it was never started', context)
      return
    case 'time-out':
      await stopContainer(step.container, { reason: 'timeout', at: now(), grace: GRACE }, context)
      return
    case 'stop-again':
      await engine.stop(step.container.id, 0)
      await finish(step.container, context)
      return
    case 'record-vanished':
      await putEnd(step.record, unseenEnd(step.record, VANISHED, now()), context)
      return
  }
  step satisfies never
}

async function change(
  { request }: WorkerContainer,
  what: Pick<WorkerRecord, 'limitHitAt'> | Pick<WorkerRecord, 'networkLostAt'>,
  { records }: Context,
): Promise<void> {
  const record = records.get(request)
  if (record !== undefined) await records.put({ ...record, ...what })
}

/** The engine does not say how many; the exit record will. */
function limitHit({ spec }: WorkerContainer): string {
  const [sentence = ''] = limitsMet(
    { limits: spec.limits, timeout: null },
    { reason: 'exited', oomKilled: true, oomKills: null, pidsLimitHits: null },
  )
  return sentence
}

function about(step: Step): { worker: string; project: string; request: string } {
  if (step.do === 'record-vanished') {
    return { worker: step.record.name, project: step.record.project, request: step.record.request }
  }
  return { worker: step.container.worker, project: step.container.project, request: step.container.request }
}
