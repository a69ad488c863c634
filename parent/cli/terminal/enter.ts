import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { AttachRequest, ClientTerminal } from '../../../coordinator/contract/request.ts'
import type { AttachOutcome, WorkerDetail } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import type { Upgraded } from '../control-client.ts'
import { type DetachKeys, DetachWatch } from './detach-keys.ts'
import { pump } from './pump.ts'
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
/** How long the coordinator may take to find out how an attachment ended. Milliseconds. */
const OUTCOME = 30_000

/** Goes into a worker with our terminal, until the person leaves or what was entered ends. */
export async function enter(context: Context, entry: TerminalEntry): Promise<AttachOutcome> {
  const upgraded = await opened(context, entry)
  const follow = entry.relay ? undefined : followSize(context, entry.request.id)
  try {
    const keys = entry.detachKeys && new DetachWatch(entry.detachKeys)
    await pump(context, upgraded, { relay: entry.relay, keys })
  } finally {
    follow?.stop()
  }
  return outcomeOf(context, entry)
}

/** The connection to a process in a worker. */
export async function opened(context: Context, { ref, request }: Entry): Promise<Upgraded> {
  await context.control.call({ method: 'POST', path: routeFor(ROUTE.attach, ref), body: request })
  return context.control.upgrade({ path: routeFor(ROUTE.attachment, request.id) }, PROTOCOL)
}

/** How it ended. A coordinator that has restarted meanwhile knows the worker, and nothing of the attachment. */
export async function outcomeOf(context: Context, { ref, request }: Entry): Promise<AttachOutcome> {
  try {
    return await context.control.call<AttachOutcome>({
      path: routeFor(ROUTE.outcome, request.id),
      answerWithin: OUTCOME,
    })
  } catch (error) {
    const again = request.enter === 'session' ? `coordinator attach ${ref}` : `coordinator inspect ${ref}`
    if (error instanceof Failure && error.code === 'not-ready') throw lost('The worker is not affected', again, error)
    if (!(error instanceof Failure) || error.code !== 'not-found') throw error
    const detail = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, ref) })
    if (detail.worker.state === 'ended') return { outcome: 'ended', ...detail }
    throw lost(`Worker "${detail.worker.name}" keeps running`, again, error)
  }
}

function lost(consolation: string, hint: string, cause: unknown): Failure {
  return new Failure('not-ready', `The connection to the coordinator was lost. ${consolation}.`, { hint, cause })
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
