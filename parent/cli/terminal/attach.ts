import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { AttachOutcome, WorkerDetail } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { finish } from '../foreground.ts'
import { writeJson } from '../write.ts'
import { pump } from './pump.ts'
import { terminalSize, type Size } from './size.ts'

/** `relay`: the terminal is held by the launcher on the host, and our input and output are its raw bytes. */
export type Attachment = { ref: string; id: string; size: Size; term: string; relay: boolean }

const PROTOCOL = 'hal9000-terminal'
/** How long the coordinator may take to find out how an attachment ended. Milliseconds. */
const OUTCOME = 30_000

/** Attaches until the person detaches (0) or the command ends (its exit code). */
export async function attachTo(context: Context, attachment: Attachment): Promise<number> {
  const outcome = await attached(context, attachment)
  const { name } = outcome.worker
  if (outcome.outcome === 'ended') {
    const code = await finish(context, outcome)
    // The session's screen goes with the session, and with it what the command showed last.
    context.say(`The session of worker "${name}" is over. Its output: coordinator logs ${name}`)
    return code
  }
  if (context.json) await writeJson(context.stdout, outcome)
  context.say(`Detached. Worker "${name}" keeps running. Attach with: coordinator attach ${name}`)
  return 0
}

async function attached(context: Context, attachment: Attachment): Promise<AttachOutcome> {
  const query = new URLSearchParams({
    id: attachment.id,
    term: attachment.term,
    columns: String(attachment.size.columns),
    rows: String(attachment.size.rows),
  })
  const path = `${routeFor(ROUTE.attach, attachment.ref)}?${query.toString()}`
  const upgraded = await context.control.upgrade({ path }, PROTOCOL)
  const follow = attachment.relay ? undefined : followSize(context, attachment.id)
  try {
    await pump(context, upgraded, attachment.relay)
  } finally {
    follow?.stop()
  }
  return outcomeOf(context, attachment)
}

/** A coordinator that has restarted meanwhile knows the worker, and nothing of the attachment. */
async function outcomeOf(context: Context, { id, ref }: Attachment): Promise<AttachOutcome> {
  try {
    return await context.control.call<AttachOutcome>({ path: routeFor(ROUTE.outcome, id), answerWithin: OUTCOME })
  } catch (error) {
    if (error instanceof Failure && error.code === 'not-ready') throw lost('The worker is not affected', ref, error)
    if (!(error instanceof Failure) || error.code !== 'not-found') throw error
    const detail = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, ref) })
    if (detail.worker.state === 'ended') return { outcome: 'ended', ...detail }
    throw lost(`Worker "${detail.worker.name}" keeps running`, detail.worker.name, error)
  }
}

function lost(consolation: string, ref: string, cause: unknown): Failure {
  return new Failure('not-ready', `The connection to the coordinator was lost. ${consolation}.`, {
    hint: `coordinator attach ${ref}`,
    cause,
  })
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
