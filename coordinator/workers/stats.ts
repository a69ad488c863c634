import { Failure } from '../contract/failure.ts'
import { ContainerId } from '../contract/names.ts'
import type { StatsResult, WorkerStats } from '../contract/stats.ts'
import type { Worker, WorkerState } from '../contract/worker.ts'
import type { Context } from './context.ts'

type StatsContext = Pick<Context, 'engine' | 'roster' | 'now'>

/** States in which a container runs a command. */
const RUNS: ReadonlySet<WorkerState> = new Set(['running', 'paused', 'stopping'])

/** What the worker uses that a person means by `ref`; fails with `wrong-state` when it does not run. */
export async function statsOf(ref: string, context: StatsContext): Promise<StatsResult> {
  const worker = await context.roster.find(ref)
  if (!RUNS.has(worker.state)) throw notRunning(worker)
  const stats = await measure(worker, context)
  if (stats === undefined) throw notRunning({ ...worker, state: 'ended' })
  return { at: new Date(context.now()).toISOString(), workers: [stats] }
}

/** What all workers use that run, measured at once; one that ends meanwhile is left out. */
export async function statsOfAll(context: StatsContext): Promise<StatsResult> {
  const running = (await context.roster.workers()).filter(({ state }) => RUNS.has(state))
  const stats = await Promise.all(running.map((worker) => measure(worker, context)))
  return { at: new Date(context.now()).toISOString(), workers: stats.filter((one) => one !== undefined) }
}

async function measure(worker: Worker, { engine }: StatsContext): Promise<WorkerStats | undefined> {
  const usage = await engine.usage(ContainerId.parse(worker.id))
  if (usage === undefined) return undefined
  const { name, project, id, request, limits } = worker
  return {
    name,
    project,
    id,
    request,
    cpu: { cores: usage.cores, limit: limits.cpus },
    memory: { bytes: usage.memory, limit: limits.memory },
    processes: { current: usage.pids, limit: limits.pids },
  }
}

function notRunning({ name, state }: Worker): Failure {
  return state === 'ended'
    ? new Failure('wrong-state', `Worker "${name}" has ended and uses nothing.`, {
        hint: `coordinator inspect ${name}`,
      })
    : new Failure('wrong-state', `Worker "${name}" does not run: it is ${state}.`, { hint: 'coordinator list' })
}
