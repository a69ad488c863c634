import { ROUTE, routeFor } from '../../coordinator/contract/control.ts'
import { Failure } from '../../coordinator/contract/failure.ts'
import type { Worker, WorkerDetail } from '../../coordinator/contract/worker.ts'
import type { Context } from './context.ts'
import { endLines, endOf, isRemarkable } from './exit.ts'
import { interruptible } from './interrupt.ts'
import { logStream } from './logs/log-stream.ts'
import { logWriter } from './logs/log-writer.ts'
import { writeJson } from './write.ts'

/** After the log ends the worker has ended too, or the log broke off politely and is read on. Milliseconds. */
const END_FOLLOWS = 2_000

/**
 * Stays with a worker without a terminal: its output becomes ours, then its exit code. With `--json` only the end is
 * printed. Interrupting us leaves the worker running. `raw`: our output is a terminal in raw mode elsewhere.
 */
export async function stayWith(context: Context, worker: Worker, raw = false): Promise<number> {
  const interrupted = (): Failure =>
    new Failure('interrupted', `Interrupted. Worker "${worker.name}" keeps running.`, {
      hint: `coordinator logs -f ${worker.name}`,
    })
  const detail = await interruptible(context, interrupted, (signal) =>
    context.json ? ended(context, worker.request, signal) : copyToEnd(context, worker, raw, signal),
  )
  return finish(context, detail)
}

/** Says how it ended where that is worth a line, and answers the exit code. */
export async function finish(context: Context, detail: WorkerDetail): Promise<number> {
  const end = endOf(detail)
  if (context.json) await writeJson(context.stdout, end)
  else if (isRemarkable(detail)) for (const line of endLines(detail)) context.say(line)
  return end.exitCode
}

/** Answers when the worker has ended, however long that takes. */
export function ended(context: Context, ref: string, signal?: AbortSignal): Promise<WorkerDetail> {
  return context.control.call<WorkerDetail>({
    path: routeFor(ROUTE.wait, ref),
    answerWithin: Infinity,
    ...(signal && { signal }),
  })
}

async function copyToEnd(context: Context, worker: Worker, raw: boolean, signal: AbortSignal): Promise<WorkerDetail> {
  const writer = logWriter(context, { io: worker.io, raw })
  const log = logStream(context, worker.request, { follow: true }, writer, signal)
  for (;;) {
    const read = await log.copy()
    // Nobody reads any more, but the exit code is still wanted.
    if (!read) return ended(context, worker.request, signal)
    const detail = await soon(context, worker.request, signal)
    if (detail) {
      await writer.end()
      return detail
    }
  }
}

/** The end if it comes within moments; else undefined. */
async function soon(context: Context, ref: string, signal: AbortSignal): Promise<WorkerDetail | undefined> {
  const enough = AbortSignal.timeout(END_FOLLOWS)
  try {
    return await ended(context, ref, AbortSignal.any([signal, enough]))
  } catch (error) {
    if (enough.aborted && !signal.aborted) return undefined
    throw error
  }
}
