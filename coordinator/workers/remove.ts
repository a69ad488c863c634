import { Failure } from '../contract/failure.ts'
import type { ContainerId } from '../contract/names.ts'
import type { RemoveResult, Worker } from '../contract/worker.ts'
import { fromRecord } from '../domain/worker-view.ts'
import { removeLog } from '../state/worker-log.ts'
import type { Context } from './context.ts'
import { recordEnd } from './finish.ts'

/** How long the engine may take to be done with a container that somebody removes. Milliseconds. */
const GONE = 10_000
const STEP = 50

/**
 * Removes what is kept of an ended worker: its container, after its exit record is written; with `forget` its exit record
 * and log too. What is gone already is success with a notice. Fails with `wrong-state` while the worker has not ended.
 */
export async function removeWorker(ref: string, forget: boolean, context: Context): Promise<RemoveResult> {
  const { roster, records, engine } = context
  const worker = await roster.find(ref)
  const container = (await roster.containers()).find(({ request }) => request === worker.request)
  const underway = [...roster.underway.keys()].some((request) => request === worker.request)
  // One that was never assigned has an end, and may be begun again.
  if (underway) throw notEnded(worker, ref)
  const record = container === undefined ? records.get(worker.request) : await recordEnd(container, context)
  const end = record?.end ?? null
  // It runs, or cannot be seen now; unless somebody else has just forgotten it.
  if (end === null && worker.state !== 'ended') throw notEnded(worker, ref)
  if (container !== undefined) await engine.remove(container.id)
  const notices = forget ? await forgetWorker(worker, container?.id, end?.log ?? null, context) : []
  if (container === undefined && !forget) {
    notices.push(`The container of worker "${worker.name}" is gone already; its exit record and log are kept.`)
  }
  return { worker: record === undefined ? worker : fromRecord(record), exit: end, notices }
}

/** The container first, or the next look would find it without a record and write one; the log before what names it. */
async function forgetWorker(
  worker: Worker,
  container: ContainerId | undefined,
  log: string | null,
  context: Context,
): Promise<string[]> {
  const { records, home } = context
  if (container !== undefined) await gone(container, worker, context)
  if (log !== null) await removeLog(home, log)
  await records.forget(worker.request)
  const others = records.all().filter(({ name, project }) => name === worker.name && project === worker.project)
  if (others.length === 0) return []
  return [`Other workers of that name are still known: coordinator list --all --filter name=${worker.name}`]
}

/** Returns when the container is not there any more: two who remove it at once are not done at once. */
async function gone(container: ContainerId, { name }: Worker, { engine, now }: Context): Promise<void> {
  for (const deadline = now() + GONE; now() < deadline;) {
    if ((await engine.find(container)) === undefined) return
    await new Promise((resolve) => setTimeout(resolve, STEP))
  }
  throw new Failure('unexpected', `The container of worker "${name}" is still being removed; its record is kept.`, {
    hint: `coordinator rm --record ${name}`,
  })
}

/** `ref` is what the person called it: its name alone may mean another by now. */
function notEnded({ name, state }: Worker, ref: string): Failure {
  return new Failure('wrong-state', `Worker "${name}" has not ended: it is ${state}.`, {
    hint: state === 'lost' ? 'coordinator list' : `coordinator stop ${ref}`,
  })
}
