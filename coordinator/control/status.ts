import type { FastifyInstance } from 'fastify'
import { Failure } from '../contract/failure.ts'
import { ROUTE } from '../contract/control.ts'
import type { Status, WorkerState } from '../contract/worker.ts'
import type { EngineHost } from '../docker/engine.ts'
import type { DeliverContext } from './deliver.ts'
import { answer } from './workers.ts'

/** How long anything that the status tells of may take. Milliseconds. */
const PATIENCE = 2_000

export type StatusContext = {
  version: string
  startedAt: string
  /** Milliseconds of each startup phase. */
  startup: Record<string, number>
  maxWorkers: number
  projectRoots: readonly string[]
  networkKind: () => Promise<'holder' | 'parent'>
  engineHost: () => Promise<EngineHost>
  /** Every reason why a spawn would fail now; none = ready to spawn. */
  problems: () => Promise<Failure[]>
}

/** Is it ready, and how is it. */
export function statusRoutes(server: FastifyInstance, context: DeliverContext & StatusContext): void {
  server.get(ROUTE.ready, async () => {
    const [problem] = await context.problems()
    if (problem !== undefined)
      throw new Failure('not-ready', problem.message, { hint: problem.hint ?? 'coordinator status', cause: problem })
    return answer({ ready: true })
  })
  server.get(ROUTE.status, async () => answer(await status(context)))
}

/** Answers also when the engine or Redis are away: that is when people ask. */
async function status(context: DeliverContext & StatusContext): Promise<Status> {
  const [problems, workers, depth, host, network] = await Promise.all([
    context.problems(),
    soon(context.roster.workers(), []),
    soon(context.queue.depth(), { waiting: 0, active: 0 }),
    soon(context.engineHost(), undefined),
    soon(context.networkKind(), 'parent' as const),
  ])
  const counts = {
    queued: 0,
    creating: 0,
    starting: 0,
    running: 0,
    paused: 0,
    stopping: 0,
    lost: 0,
    ended: 0,
  } satisfies Record<WorkerState, number>
  for (const worker of workers) counts[worker.state] += 1
  return {
    instance: context.instance,
    version: context.version,
    ready: problems.length === 0,
    problems: problems.map((problem) => problem.message),
    engine: host
      ? {
          version: host.version,
          apiVersion: host.apiVersion,
          cpus: host.cpus,
          memory: host.memory,
          cgroup: host.cgroup,
        }
      : null,
    network,
    projectRoots: [...context.projectRoots],
    workers: counts,
    queue: { ...depth, maxWorkers: context.maxWorkers },
    startedAt: context.startedAt,
    startup: context.startup,
  }
}

/** What is known in time, else the other: an engine that hangs must not make the status hang. */
async function soon<T, O>(work: Promise<T>, otherwise: O): Promise<T | O> {
  const late = new Promise<O>((resolve) => {
    setTimeout(() => resolve(otherwise), PATIENCE).unref()
  })
  return await Promise.race([work.catch(() => otherwise), late])
}
