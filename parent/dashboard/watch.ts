import { setTimeout as sleep } from 'node:timers/promises'
import { ROUTE } from '../../coordinator/contract/control.ts'
import { Failure } from '../../coordinator/contract/failure.ts'
import type { Status, Worker } from '../../coordinator/contract/worker.ts'
import { bytesOf } from '../cli/bytes.ts'
import type { Context } from '../cli/context.ts'
import type { Register } from '../cli/program.ts'
import { write } from '../cli/write.ts'
import { frame, type View } from './frame.ts'

/** The clock and the ages go on without events. Milliseconds. */
const REDRAW_EVERY = 5_000
/** Events come in bursts: one reading for all that come within this. Milliseconds. */
const GATHER = 150
/** Between tries while the coordinator is away or not ready yet. Milliseconds. */
const RETRY_AFTER = 1_000
/** The coordinator is here or it is away: a single answer may take so long. More than it gives an engine that is silent. Milliseconds. */
const ANSWER_WITHIN = 6_000

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h\n'

/** For the dashboard: the table of workers, drawn anew at every event until interrupted. */
export const watch: Register = (program, context) => {
  program
    .command('watch', { hidden: true })
    .description('show workers, live, on the whole terminal')
    .action(async () => {
      if (context.stdout.isTTY !== true) {
        throw new Failure('no-terminal', 'watch needs a terminal, and stdout is none.', { hint: 'coordinator list' })
      }
      const interrupted = new AbortController()
      const interrupt = (): void => interrupted.abort()
      context.signals.on('SIGINT', interrupt)
      context.signals.on('SIGTERM', interrupt)
      await watchTable(context, interrupted.signal)
    })
}

type Surroundings = Pick<Context, 'control' | 'stdout' | 'env' | 'now'>

/** Draws until `signal`, or until nobody reads what is drawn. A coordinator that is away is said and waited for. */
export async function watchTable(context: Surroundings, signal: AbortSignal): Promise<void> {
  const ended = new AbortController()
  const over = AbortSignal.any([signal, ended.signal])
  const news = doorbell()
  let view: View = { status: null, workers: [], trouble: null }
  const draw = async (): Promise<void> => {
    if (!(await write(context.stdout, picture(view, context)))) ended.abort()
  }
  const redraw = (): void => void draw().catch(() => ended.abort())
  context.stdout.on('resize', redraw)
  const listening = listen(context, news.ring, over)
  try {
    await write(context.stdout, HIDE_CURSOR)
    while (!over.aborted) {
      view = await look(context, view, over)
      await draw()
      await news.rung(view.trouble === null && view.status?.ready === true ? REDRAW_EVERY : RETRY_AFTER, over)
    }
    await write(context.stdout, SHOW_CURSOR)
  } finally {
    ended.abort()
    context.stdout.off('resize', redraw)
    await listening
  }
}

/** Reads status and workers. While the coordinator or the engine is away what was known stays: workers live on without. */
async function look(context: Surroundings, before: View, signal: AbortSignal): Promise<View> {
  const options = { patience: 0, answerWithin: ANSWER_WITHIN, signal }
  try {
    const [status, listed] = await Promise.all([
      context.control.call<Status>({ path: ROUTE.status, ...options }),
      context.control
        .call<{ workers: Worker[] }>({ path: `${ROUTE.workers}?all=0`, ...options })
        .catch((error: unknown) => Failure.from(error)),
    ])
    if (!(listed instanceof Failure)) return { status, workers: listed.workers, trouble: null }
    // The status says so itself, unless it was asked a moment before.
    return { status, workers: before.workers, trouble: status.ready ? `${listed.message} Retrying.` : null }
  } catch (error) {
    const failure = Failure.from(error)
    const away = failure.code === 'not-ready'
    return { ...before, trouble: away ? 'the coordinator is not reachable, retrying' : `${failure.message} Retrying.` }
  }
}

/** Rings at every event. The stream breaks off with the coordinator; that is news too. */
async function listen(context: Surroundings, ring: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await context.control.open({ path: `${ROUTE.events}?follow=1&tail=0`, patience: 0, signal })
      // Bytes are enough: what has happened is read from the coordinator, not from the event.
      for await (const _ of bytesOf(response)) ring()
    } catch {
      // The other reader meets the same trouble, and shows it.
    }
    ring()
    await sleep(RETRY_AFTER, undefined, { signal }).catch(() => {})
  }
}

type Doorbell = {
  ring: () => void
  /** Answers when it was rung, with what is rung soon after, or after so many milliseconds. */
  rung: (within: number, signal: AbortSignal) => Promise<void>
}

function doorbell(): Doorbell {
  let pending = false
  let wake = (): void => {}
  return {
    ring: () => {
      pending = true
      wake()
    },
    rung: async (within, signal) => {
      const waiting = new AbortController()
      wake = () => waiting.abort()
      const first = AbortSignal.any([waiting.signal, signal])
      if (!pending) await sleep(within, undefined, { signal: first }).catch(() => {})
      if (pending) await sleep(GATHER, undefined, { signal }).catch(() => {})
      pending = false
    },
  }
}

/** The frame as one write, over what is there: each line clears its rest, the last one the rest of the screen. */
function picture(view: View, context: Surroundings): string {
  const { columns = 80, rows = 24 } = context.stdout
  const colour = !context.env['NO_COLOR']
  const lines = frame(view, { columns, rows, now: context.now(), colour })
  return `\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`
}
