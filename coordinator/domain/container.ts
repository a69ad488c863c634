import { z } from 'zod'
import { LABEL, LABEL_SCHEMA, type Role } from '../contract/labels.ts'
import { type ContainerId, type InstanceName, ProjectPath, RequestId, WorkerName } from '../contract/names.ts'
import { LimitsShape, OnNetworkLoss } from './spawn-order.ts'

/** A container's state in Docker's words. */
export const EngineState = z.enum(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'])
export type EngineState = z.infer<typeof EngineState>

/** A container as a list of the engine shows it. */
export type Container = {
  id: ContainerId
  name: string
  image: string
  state: EngineState
  labels: Record<string, string>
  /** Milliseconds since the epoch. */
  createdAt: number
  /** The container whose network it joined; null when it joined none. */
  networkOwner: ContainerId | null
}

/** What the `hal9000.spec` label keeps: enough to adopt a worker whose record is lost. Nothing secret, not the command. */
export type WorkerSpec = z.infer<typeof WorkerSpec>
const WorkerSpec = z.object({
  limits: LimitsShape,
  remove: z.boolean(),
  io: z.enum(['session', 'pipes']),
  onNetworkLoss: OnNetworkLoss.default('keep'),
})

/** A worker's container: labels read and checked. */
export type WorkerContainer = Container & {
  worker: WorkerName
  project: ProjectPath
  request: RequestId
  spec: WorkerSpec
}

const WorkerLabels = z.object({
  [LABEL.worker]: WorkerName,
  [LABEL.project]: ProjectPath,
  [LABEL.request]: RequestId,
  [LABEL.schema]: z.literal(LABEL_SCHEMA),
  [LABEL.spec]: z.string().transform((text, context) => {
    try {
      return WorkerSpec.parse(JSON.parse(text))
    } catch {
      context.addIssue({ code: 'custom', message: 'not a worker spec' })
      return z.NEVER
    }
  }),
})

/** The labels of a worker's container; the inverse of `asWorker`. */
export function workerLabels(
  instance: InstanceName,
  worker: { worker: WorkerName; project: ProjectPath; request: RequestId; spec: WorkerSpec },
): Record<string, string> {
  return {
    [LABEL.managed]: 'true',
    [LABEL.instance]: instance,
    [LABEL.role]: 'worker' satisfies Role,
    [LABEL.worker]: worker.worker,
    [LABEL.project]: worker.project,
    [LABEL.request]: worker.request,
    [LABEL.spec]: JSON.stringify(worker.spec),
    [LABEL.schema]: LABEL_SCHEMA,
  }
}

/** The container as a worker of this instance; undefined when it is anything else: then it is never touched. */
export function asWorker(container: Container, instance: InstanceName): WorkerContainer | undefined {
  const { labels } = container
  if (labels[LABEL.managed] !== 'true' || labels[LABEL.instance] !== instance || labels[LABEL.role] !== 'worker') {
    return undefined
  }
  const parsed = WorkerLabels.safeParse(labels)
  if (!parsed.success) return undefined
  return {
    ...container,
    worker: parsed.data[LABEL.worker],
    project: parsed.data[LABEL.project],
    request: parsed.data[LABEL.request],
    spec: parsed.data[LABEL.spec],
  }
}
