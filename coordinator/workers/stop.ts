import { Failure } from '../contract/failure.ts'
import type { StopAllResult, StopResult, Worker, WorkerDetail } from '../contract/worker.ts'
import type { WorkerContainer } from '../domain/container.ts'
import type { WorkerRecord } from '../domain/worker-record.ts'
import { fromRecord } from '../domain/worker-view.ts'
import type { Context } from './context.ts'
import { adopted, finish } from './finish.ts'
import { cancelled, takeBack, type TakeBackContext } from './take-back.ts'

/** How long a worker that is being started may take until it can be stopped. Milliseconds. */
const STARTING = 30_000
const STEP = 50

type Stop = NonNullable<WorkerRecord['stop']>

/**
 * Stops one worker: TERM, KILL after `grace` seconds, exit record, removal. What has ended already is success with a notice.
 * A request that still waits is taken back.
 */
export async function stopWorker(ref: string, grace: number, context: TakeBackContext): Promise<StopResult> {
  const worker = await context.roster.find(ref)
  if (worker.state === 'ended') {
    return { ...detailOf(worker, context), notices: [`Worker "${worker.name}" has ended already.`] }
  }
  if (worker.state === 'queued' && (await takeBack(worker, context))) {
    const notices = ['The request was still waiting; it was taken back.']
    return { worker: cancelled(worker), exit: null, notices }
  }
  const container = await containerOf(worker, context)
  const record = await stopContainer(container, { reason: 'stopped', at: context.now(), grace }, context)
  const killed = record.end?.signal === 'KILL' && record.end.reason === 'stopped'
  const notices = killed ? [`Worker "${worker.name}" did not end within ${grace} s of TERM and was killed.`] : []
  return { worker: fromRecord(record), exit: record.end, notices }
}

/** Stops all workers at once; each on its own, so that one that fails keeps none of the others. */
export async function stopAll(grace: number, context: TakeBackContext): Promise<StopAllResult> {
  const workers = (await context.roster.workers()).filter((worker) => worker.state !== 'ended')
  const results = await Promise.allSettled(workers.map((worker) => stopWorker(worker.request, grace, context)))
  const stopped: WorkerDetail[] = []
  const failed: StopAllResult['failed'] = []
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') stopped.push({ worker: result.value.worker, exit: result.value.exit })
    else failed.push({ name: workers[index]?.name ?? '', error: Failure.from(result.reason).toShape() })
  }
  return { stopped, failed }
}

/**
 * Stops a container that is known to be ours. What is asked is recorded first: a coordinator that dies in between
 * finds it, and the end is told with its reason.
 */
export async function stopContainer(container: WorkerContainer, stop: Stop, context: Context): Promise<WorkerRecord> {
  const { engine, records, note } = context
  const known = records.get(container.request) ?? adopted(container)
  // The first reason stays: a timeout that a person hurries along is still a timeout.
  const record = { ...known, container: container.id, stop: known.stop ?? stop }
  await records.put(record)
  note({
    kind: 'worker-stopping',
    worker: record.name,
    project: record.project,
    request: record.request,
    message: record.stop.reason,
  })
  await engine.stop(container.id, stop.grace)
  // The pass that sees the container's end may be faster than this; both do the same, once.
  const ended = await finish(container, context)
  if (ended !== undefined) return ended
  const recorded = records.get(container.request)
  if (recorded?.end) return recorded
  throw new Failure('unexpected', `Worker "${record.name}" was stopped, but its end could not be read.`)
}

export function detailOf(worker: Worker, context: Context): WorkerDetail {
  return { worker, exit: context.records.get(worker.request)?.end ?? null }
}

async function containerOf(worker: Worker, context: Context): Promise<WorkerContainer> {
  for (const deadline = context.now() + STARTING; context.now() < deadline;) {
    const busy = [...context.roster.underway.keys()].some((request) => request === worker.request)
    const container = (await context.roster.containers()).find((candidate) => candidate.request === worker.request)
    if (container !== undefined && !busy) return container
    if (container === undefined && !busy) break
    await new Promise((resolve) => setTimeout(resolve, STEP))
  }
  throw new Failure('wrong-state', `Worker "${worker.name}" is ${worker.state} and cannot be stopped now.`, {
    hint: 'coordinator list',
  })
}
