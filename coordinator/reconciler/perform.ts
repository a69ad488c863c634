import type { Step } from '../domain/reconcile.ts'
import { unseenEnd } from '../domain/exit.ts'
import type { Context } from '../workers/context.ts'
import { adopted, discard, finish, recordEnd } from '../workers/finish.ts'
import { stopContainer } from '../workers/stop.ts'

/** Seconds between TERM and KILL of a worker whose time is up. */
const TIMEOUT_GRACE = 10

/** Does one step of the plan. No decisions here: they are in the plan. */
export async function perform(step: Step, context: Context): Promise<void> {
  const { engine, records, note, now } = context
  switch (step.do) {
    case 'adopt':
      await records.put(adopted(step.container))
      note({ ...about(step), kind: 'worker-adopted', message: step.because })
      return
    case 'record-end':
      await recordEnd(step.container, context)
      return
    case 'remove':
      await engine.remove(step.container.id)
      return
    case 'discard':
      await discard(step.container, 'it was never started', context)
      return
    case 'time-out':
      await stopContainer(step.container, { reason: 'timeout', at: now(), grace: TIMEOUT_GRACE }, context)
      return
    case 'stop-again':
      await engine.stop(step.container.id, 0)
      await finish(step.container, context)
      return
    case 'record-vanished': {
      const end = unseenEnd(
        step.record,
        'its container was removed by someone else before its end could be read',
        now(),
      )
      await records.put({ ...step.record, end })
      note({ ...about(step), kind: 'worker-ended', message: end.message ?? end.reason })
      return
    }
  }
  step satisfies never
}

function about(step: Step): { worker: string; project: string; request: string } {
  if (step.do === 'record-vanished') {
    return { worker: step.record.name, project: step.record.project, request: step.record.request }
  }
  return { worker: step.container.worker, project: step.container.project, request: step.container.request }
}
