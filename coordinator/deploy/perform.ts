import { MountsPrivate, type Deployment } from '../docker/deployment.ts'
import type { Op } from '../domain/deployment/plan.ts'

/** Seconds between TERM and KILL for the parent: its own supervisor gives its services 2. */
const PARENT_GRACE = 10
const WORKER_GRACE = 10

/** Carries out one op. Decides nothing; whatever was done already counts as done. */
export async function perform(op: Op, deployment: Deployment): Promise<void> {
  switch (op.do) {
    case 'create-network':
      return deployment.createNetwork()
    case 'create-volume':
      return deployment.createVolume()
    case 'remove-network':
      return deployment.removeNetwork()
    case 'remove-volume':
      return deployment.removeVolume()
    case 'create-holder':
      return deployment.start(await deployment.create(op.spec))
    case 'put-parent':
      return putParent(op, deployment)
    case 'stop-workers':
      return stopWorkers(op, deployment)
    case 'remove-workers':
      await Promise.all(op.ids.map((id) => deployment.remove(id)))
      return
    case 'start':
      return deployment.start(op.id)
    case 'unpause':
      return deployment.unpause(op.id)
    case 'restart':
      await deployment.stop(op.id, PARENT_GRACE)
      return deployment.start(op.id)
    case 'stop':
      return deployment.stop(op.id, PARENT_GRACE)
    case 'remove':
      return deployment.remove(op.id)
    default:
      return op satisfies never
  }
}

async function putParent(op: Extract<Op, { do: 'put-parent' }>, deployment: Deployment): Promise<void> {
  const spec = { ...op.spec, network: `container:${await deployment.holderId()}` }
  let made: string
  if (op.old === undefined) {
    made = await deployment.create(spec)
  } else {
    made = await deployment.create({ ...spec, name: `${spec.name}-new` })
    await deployment.stop(op.old, PARENT_GRACE)
    await deployment.remove(op.old)
    await deployment.rename(made, spec.name)
  }
  try {
    await deployment.start(made)
  } catch (error) {
    if (!(error instanceof MountsPrivate)) throw error
    await deployment.remove(made)
    await deployment.start(await deployment.create({ ...spec, followMounts: false }))
  }
}

async function stopWorkers(op: Extract<Op, { do: 'stop-workers' }>, deployment: Deployment): Promise<void> {
  if (op.parent !== undefined) await deployment.run(op.parent, ['coordinator', 'stop-all', '--yes'])
  await Promise.all(op.ids.map((id) => deployment.stop(id, WORKER_GRACE)))
}
