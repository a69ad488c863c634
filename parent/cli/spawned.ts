import { ROUTE, routeFor } from '../../coordinator/contract/control.ts'
import { Failure } from '../../coordinator/contract/failure.ts'
import type { SpawnResult, Worker, WorkerDetail } from '../../coordinator/contract/worker.ts'
import { onTerminal, type Context } from './context.ts'
import { stayWith } from './foreground.ts'
import { attachTo } from './terminal/attach.ts'
import type { DetachKeys } from './terminal/detach-keys.ts'
import { heldHere } from './terminal/held.ts'
import { handedOff } from './terminal/size.ts'
import { write, writeJson } from './write.ts'

/** What `spawn` does with the coordinator's answer: print a name, or stay with the worker. Answers the exit code. */
export async function deliver(
  context: Context,
  { worker, run, notices, timings }: SpawnResult,
  options: { noWait?: true; stdin?: true; detachKeys?: DetachKeys },
): Promise<number> {
  const queuedOnly = options.noWait === true
  if (context.json && (queuedOnly || run.mode === 'detached')) {
    await writeJson(context.stdout, { worker, run, notices, timings })
    return 0
  }
  for (const notice of notices) context.say(notice)
  if (queuedOnly) {
    await write(context.stdout, `${worker.request}\n`)
    return 0
  }
  if (run.mode === 'detached') {
    await write(context.stdout, `${worker.name}\n`)
    for (const line of nextSteps(worker)) context.say(line)
    return 0
  }
  // Our stdin was the command's input; there is nobody to type into its terminal.
  return options.stdin ? stayWith(context, worker) : stayInForeground(context, worker, options.detachKeys)
}

function nextSteps(worker: Worker): string[] {
  const logs = `logs:   coordinator logs -f ${worker.name}`
  if (worker.state === 'ended') return [`Worker "${worker.name}" has ended already.`, logs]
  return [
    ...(worker.io === 'session' ? [`attach: coordinator attach ${worker.name}`] : []),
    logs,
    `stop:   coordinator stop ${worker.name}`,
  ]
}

/** The request's id is the reference from here on: it is unique, and a name may be taken by another meanwhile. */
async function stayInForeground(context: Context, worker: Worker, detachKeys?: DetachKeys): Promise<number> {
  const attachable = worker.io === 'session' && worker.state !== 'ended' && !context.json
  if (attachable && handedOff(context)) {
    const keys = detachKeys ? ` --detach-keys ${detachKeys.text}` : ''
    await write(context.stdout, `handoff ${worker.request}${keys}\n`)
    return 0
  }
  if (!attachable || !onTerminal(context)) return stayWith(context, worker)
  try {
    return await attachTo(context, worker.request, heldHere(context, detachKeys))
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'wrong-state') throw error
    const { worker: now } = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, worker.request) })
    if (now.state !== 'ended') throw error
    return stayWith(context, now)
  }
}
