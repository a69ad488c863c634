import type { Duplex } from 'node:stream'
import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { AttachRequest, ClientTerminal } from '../../../coordinator/contract/request.ts'
import type { AttachOutcome, Worker } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { type DetachKeys, DetachWatch } from './detach-keys.ts'
import { pump, type PumpEnd, resetTerminal } from './pump.ts'
import { terminalSize, type Size } from './size.ts'

/** Into which worker, and how. */
export type Entry = { ref: string; request: AttachRequest }

/** `relay`: the launcher on the host holds the terminal, and our input and output are its raw bytes. */
export type TerminalEntry = Entry & {
  request: { terminal: ClientTerminal }
  relay: boolean
  detachKeys: DetachKeys | undefined
}

const PROTOCOL = 'hal9000-terminal'
/** How often an attachment is announced that is not known when it is to be opened. */
const TURNS = 3
/** How long the coordinator may take to find out how an attachment ended. Milliseconds. */
const OUTCOME = 30_000

/** How an attachment ended; `coordinator-gone`: with the coordinator, which had no word for it. */
export type Ending = AttachOutcome | { outcome: 'coordinator-gone'; worker: Worker }

/** The connection to a process in a worker. */
export type Opened = { worker: Worker; socket: Duplex }

/** Goes into a worker with our terminal, until the person leaves or what was entered ends. */
export async function enter(context: Context, entry: TerminalEntry): Promise<Ending> {
  const { worker, socket } = await opened(context, entry)
  const { clean } = await carry(context, entry, socket)
  const ending = await endingOf(context, entry, worker)
  if (ending.outcome === 'coordinator-gone' && clean) await resetTerminal(context)
  return ending
}

/** `signal` ends it, as long as the connection is not there. */
export async function opened(context: Context, { ref, request }: Entry, signal?: AbortSignal): Promise<Opened> {
  const wanted = {
    method: 'POST',
    path: routeFor(ROUTE.attach, ref),
    body: request,
    ...(signal && { signal }),
  } as const
  const way = { path: routeFor(ROUTE.attachment, request.id), ...(signal && { signal }) }
  for (let turn = 1; ; turn += 1) {
    const { worker } = await context.control.call<{ worker: Worker }>(wanted)
    try {
      const { socket, head } = await context.control.upgrade(way, PROTOCOL)
      // At once: it keeps an end that follows from being the end of nothing.
      if (head.length > 0) socket.unshift(head)
      return { worker, socket }
    } catch (error) {
      // Announced to a coordinator that has been succeeded since.
      if (!(error instanceof Failure) || error.code !== 'not-found' || turn === TURNS) throw error
    }
  }
}

/** Carries bytes between our terminal and an open attachment; `typed`: what was typed before it was open. */
export async function carry(
  context: Context,
  { request, relay, detachKeys }: TerminalEntry,
  socket: Duplex,
  typed?: Buffer,
): Promise<PumpEnd> {
  const follow = relay ? undefined : followSize(context, request.id)
  try {
    const keys = detachKeys && new DetachWatch(detachKeys)
    return await pump(context, socket, { relay, keys, ...(typed && { typed }) })
  } finally {
    follow?.stop()
  }
}

/** How it ended. The next coordinator knows the worker, and nothing of the attachment. */
export async function endingOf(context: Context, { request }: Entry, worker: Worker): Promise<Ending> {
  try {
    return await context.control.call<AttachOutcome>({
      path: routeFor(ROUTE.outcome, request.id),
      answerWithin: OUTCOME,
      patience: 0,
    })
  } catch (error) {
    if (!(error instanceof Failure) || (error.code !== 'not-ready' && error.code !== 'not-found')) throw error
    return { outcome: 'coordinator-gone', worker }
  }
}

/** Tells the coordinator our terminal's size whenever it changes; of many changes in a row only the last counts. */
function followSize(context: Context, id: string): { stop: () => void } {
  let busy = false
  let wanted: Size | undefined
  const send = async (): Promise<void> => {
    busy = true
    try {
      while (wanted) {
        const body = wanted
        wanted = undefined
        await context.control.call({ method: 'POST', path: routeFor(ROUTE.resize, id), body, patience: 0 })
      }
    } catch {
      // The stream itself will tell if the coordinator has gone; a size alone is not worth a word.
    } finally {
      busy = false
    }
  }
  const changed = (): void => {
    wanted = terminalSize(context)
    if (!busy) void send()
  }
  context.stdout.on('resize', changed)
  return { stop: () => void context.stdout.off('resize', changed) }
}
