import type { FastifyInstance } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import type { PlannedStep } from '../contract/reconcile.ts'
import { render, type Step } from '../domain/reconcile.ts'
import type { ControlContext } from './context.ts'
import { answer } from './workers.ts'

/** What the reconcile loop would do now; nothing is done. Fails when the engine cannot be seen. */
export function reconcileRoutes(server: FastifyInstance, { plan }: ControlContext): void {
  server.get(ROUTE.reconcile, async () => answer({ steps: (await plan()).map(planned) }))
}

function planned(step: Step): PlannedStep {
  const { name, project, container } =
    step.do === 'record-vanished'
      ? { ...step.record, container: step.record.container ?? '' }
      : { name: step.container.worker, project: step.container.project, container: step.container.id }
  return { do: step.do, name, project, id: container, because: step.because, text: render([step]).trimEnd() }
}
