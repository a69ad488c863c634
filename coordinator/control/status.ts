import type { FastifyInstance } from 'fastify'
import { Failure } from '../contract/failure.ts'
import { ROUTE } from '../contract/control.ts'
import type { Owner } from '../contract/owner.ts'
import type { Condition, NetworkKind, Status, WorkerState } from '../contract/worker.ts'
import type { EngineHost } from '../docker/engine.ts'
import { readiness, type ReadinessFacts } from '../domain/readiness.ts'
import type { DeliverContext } from './deliver.ts'
import { answer } from './workers.ts'

/** How long anything that the status tells of may take: an engine under load takes its time. Milliseconds. */
const PATIENCE = 4_000

export type StatusContext = {
  /** Who we are, for the handshake. */
  owner: Owner
  version: string
  startedAt: string
  /** Milliseconds of each startup phase. */
  startup: Record<string, number>
  maxWorkers: number
  projectRoots: readonly string[]
  networkKind: () => Promise<NetworkKind>
  engineHost: () => Promise<EngineHost>
  /** Every reason why a spawn would fail now; none = ready to spawn. */
  problems: () => Promise<Failure[]>
  /** What a coordinator begins with: whether the engine was looked at, and whether Redis has taken its epoch. */
  beginning: () => Pick<ReadinessFacts, 'looked' | 'claimed'>
  /** What a person should know though it hinders nothing. */
  notices: () => Promise<string[]>
}

/** Is it ready, and how is it. */
export function statusRoutes(server: FastifyInstance, context: DeliverContext & StatusContext): void {
  server.get(ROUTE.ready, async () => {
    const [problem] = await context.problems()
    if (problem !== undefined)
      throw new Failure('not-ready', problem.message, { hint: problem.hint ?? 'coordinator status', cause: problem })
    return answer({ ready: true })
  })
  server.get(ROUTE.owner, () => Promise.resolve(answer(context.owner)))
  server.get(ROUTE.status, async () => answer(await status(context)))
}

/** Answers also when the engine or Redis are away: that is when people ask. */
async function status(context: DeliverContext & StatusContext): Promise<Status> {
  const [known, notices, workers, depth, host, network] = await Promise.all([
    soon(context.problems()),
    context.notices(),
    soon(context.roster.workers()),
    soon(context.queue.depth()),
    soon(context.engineHost()),
    soon(context.networkKind()),
  ])
  const problems = known ?? [UNKNOWN]
  const age = context.now() - Date.parse(context.startedAt)
  const state = readiness({ hindered: problems.length > 0, age, ...context.beginning() })
  return {
    instance: context.instance,
    version: context.version,
    state,
    ready: state === 'ready',
    problems: problems.map((problem) => problem.message),
    notices,
    // Its facts are remembered; of one that tells of no workers they would say that it is there.
    engine:
      host && workers
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
    workers:
      workers &&
      counted(
        STATES,
        workers.map(({ state }) => state),
      ),
    conditions:
      workers &&
      counted(
        CONDITIONS,
        workers.flatMap(({ conditions }) => conditions),
      ),
    queue: { waiting: depth?.waiting ?? null, active: depth?.active ?? null, maxWorkers: context.maxWorkers },
    startedAt: context.startedAt,
    startup: context.startup,
  }
}

const UNKNOWN = new Failure('not-ready', `The Docker engine or Redis has not answered for ${PATIENCE / 1000} s.`)

const STATES: Record<WorkerState, number> = {
  queued: 0,
  creating: 0,
  starting: 0,
  running: 0,
  paused: 0,
  stopping: 0,
  lost: 0,
  ended: 0,
}
const CONDITIONS: Record<Condition, number> = {
  'network-lost': 0,
  'limit-hit': 0,
  'needs-input': 0,
  'stopping-late': 0,
}

function counted<Key extends string>(zero: Record<Key, number>, seen: readonly Key[]): Record<Key, number> {
  const counts = { ...zero }
  for (const key of seen) counts[key] += 1
  return counts
}

/** What is known in time, else null: an engine that hangs must not make the status hang. */
async function soon<T>(work: Promise<T>): Promise<T | null> {
  const late = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), PATIENCE).unref()
  })
  return await Promise.race([work.catch(() => null), late])
}
