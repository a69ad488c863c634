import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Worker, WorkerDetail } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { carry, endingOf, type Ending, opened, type Opened, type TerminalEntry } from './enter.ts'
import { resetTerminal } from './pump.ts'
import { inRawMode } from './raw-mode.ts'
import { type Size, terminalSize } from './size.ts'
import { write } from '../write.ts'
import { Typing } from './typing.ts'

/** An attachment that held so long was served: the next loss begins the patience anew. Milliseconds. */
const SERVED = 5_000
/** How long coordinators that go one after the other are attached to again. Milliseconds. */
const PATIENCE = 10_000

type Stayed = Exclude<Ending, { outcome: 'coordinator-left' | 'coordinator-gone' }>

/**
 * Stays in a worker's session until the person leaves or the session ends: the session outlives the coordinator, so where
 * that goes, announced or not, the next one is attached to. What is typed meanwhile is kept; Ctrl-C leaves.
 */
export async function stay(context: Context, entry: TerminalEntry): Promise<Stayed> {
  let trouble: number | undefined
  let typed: Buffer | undefined
  for (let now = await opened(context, entry); ;) {
    const begun = context.now()
    const { by, clean } = await carry(context, entry, now.socket, typed)
    const ending = await endingOf(context, entry, now.worker)
    if (ending.outcome !== 'coordinator-gone' && ending.outcome !== 'coordinator-left') return ending
    if (ending.outcome === 'coordinator-gone' && clean) await resetTerminal(context)
    const { worker } = ending
    if (by === 'us') return { outcome: 'detached', worker }
    trouble = trouble === undefined || context.now() - begun > SERVED ? context.now() : trouble
    if (context.now() - trouble > PATIENCE)
      throw lost(worker, new Failure('not-ready', 'The coordinator goes again and again.'))
    // Over the stream that has just put the terminal in order: on another one it could come before that, and be cleared away.
    if (!context.json) await write(context.stdout, wordsOf(ending))
    const again = await attachAgain(context, entry, worker)
    if (again.outcome !== 'attached') return again
    ;({ typed } = again)
    now = again.opened
  }
}

/** In a terminal's own words: it may be in raw mode. */
function wordsOf({ outcome, worker }: Ending): string {
  const fact = outcome === 'coordinator-left' ? 'is being stopped or restarted' : 'went away'
  return `The coordinator ${fact}; worker "${worker.name}" keeps running.\r\nAttaching again; Ctrl-C leaves.\r\n`
}

type Again = Stayed | { outcome: 'attached'; opened: Opened; typed: Buffer }

/** By the request, which means this worker also if another one takes its name. */
function attachAgain(context: Context, { request, relay }: TerminalEntry, worker: Worker): Promise<Again> {
  return inRawMode(context, async () => {
    using typing = new Typing(context)
    try {
      const again = await opened(context, { ref: worker.request, request }, typing.left)
      await tellSize(context, request.id, relay ? await typing.askSize() : terminalSize(context))
      if (!typing.left.aborted) return { outcome: 'attached', opened: again, typed: typing.take() }
      again.socket.destroy()
    } catch (error) {
      if (!typing.left.aborted) return await endedMeanwhile(context, worker, Failure.from(error))
    }
    return { outcome: 'detached', worker }
  })
}

async function endedMeanwhile(context: Context, worker: Worker, failure: Failure): Promise<Stayed> {
  if (failure.code === 'not-ready') throw lost(worker, failure)
  if (failure.code !== 'wrong-state') throw failure
  const detail = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, worker.request) })
  if (detail.worker.state !== 'ended') throw failure
  return { outcome: 'ended', ...detail }
}

/** It may have changed while nobody was there to hear it; of a terminal that the launcher holds we do not know. */
async function tellSize(context: Context, id: string, body: Size | undefined): Promise<void> {
  if (body === undefined) return
  await context.control.call({ method: 'POST', path: routeFor(ROUTE.resize, id), body, patience: 0 }).catch(() => {})
}

function lost({ name }: Worker, cause: Failure): Failure {
  const { message, hint } = cause
  const next = hint === 'coordinator daemon start' ? hint : `coordinator attach ${name}`
  return new Failure('not-ready', `${message} Worker "${name}" keeps running.`, { hint: next, cause })
}
