import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import { FrameDecoder, type Frame } from '../../../coordinator/contract/frames.ts'
import { bytesOf } from '../bytes.ts'
import type { Context } from '../context.ts'
import { errorCode } from '../error-code.ts'
import { pause } from '../persist.ts'
import type { LogWriter } from './log-writer.ts'

export type LogQuery = { follow: boolean; tail?: number; since?: number; timestamps?: boolean }

export type LogStream = {
  /** Reads to the end of the log, once more from the start if it is called again. True = the reader is still there. */
  copy: () => Promise<boolean>
}

/** Milliseconds between two readings of a log that breaks off, and how many in a row may bring nothing new. */
const BREAK_PAUSE = 200
const MOST_FRUITLESS = 50

/**
 * A worker's log as it comes. A whole log (no tail, no since) that breaks off is read again and what has been written
 * already is left out, so that a coordinator that restarts loses and repeats nothing.
 */
export function logStream(
  context: Context,
  ref: string,
  query: LogQuery,
  writer: LogWriter,
  signal?: AbortSignal,
): LogStream {
  const written = { stdout: 0, stderr: 0 }
  const whole = query.tail === undefined && query.since === undefined
  let readings = 0
  let wanted = query
  const once = async (): Promise<'end' | 'reader-gone' | 'misaligned'> => {
    const skip = wanted === query ? { ...written } : { stdout: 0, stderr: 0 }
    const response = await context.control.open({ path: pathOf(ref, wanted), ...(signal && { signal }) })
    const notice = response.headers['hal9000-notice']
    if (typeof notice === 'string' && readings === 0) context.say(notice)
    readings += 1
    if (notice !== undefined && readings > 1 && wanted === query) {
      response.destroy()
      return 'misaligned'
    }
    const decoder = new FrameDecoder()
    for await (const chunk of bytesOf(response)) {
      for (const frame of decoder.push(chunk)) {
        const fresh = unseen(frame, skip)
        written[frame.output] += fresh.data.length
        if (fresh.data.length > 0 && !(await writer.write(fresh))) {
          response.destroy()
          return 'reader-gone'
        }
      }
    }
    if (decoder.incomplete > 0) throw brokenOff(ref)
    return 'end'
  }
  return {
    copy: async () => {
      for (let fruitless = 0; ; fruitless += 1) {
        const before = written.stdout + written.stderr
        try {
          const end = await once()
          if (end !== 'misaligned') return end === 'end'
          // The log's beginning is gone, so what has been written cannot be found in it: only what is new is right.
          context.say('The log broke off and is too long to be read again: output may be missing here.')
          wanted = { ...query, tail: 0 }
          continue
        } catch (error) {
          if (signal?.aborted === true) throw signal.reason
          if (!(error instanceof Error) || !isBreak(error)) throw error
          if (written.stdout + written.stderr > before) fruitless = 0
          if (!whole || fruitless >= MOST_FRUITLESS) throw brokenOff(ref, error)
        }
        await pause(BREAK_PAUSE, signal)
      }
    },
  }
}

/** The part of a frame that was not written in an earlier reading; counts `skip` down. */
function unseen(frame: Frame, skip: Record<Frame['output'], number>): Frame {
  const old = Math.min(skip[frame.output], frame.data.length)
  skip[frame.output] -= old
  return old === 0 ? frame : { output: frame.output, data: frame.data.subarray(old) }
}

function isBreak(error: Error): boolean {
  const code = errorCode(error)
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function pathOf(ref: string, query: LogQuery): string {
  const parameters = new URLSearchParams({ follow: query.follow ? '1' : '0', timestamps: query.timestamps ? '1' : '0' })
  if (query.tail !== undefined) parameters.set('tail', String(query.tail))
  if (query.since !== undefined) parameters.set('since', String(query.since))
  return `${routeFor(ROUTE.logs, ref)}?${parameters.toString()}`
}

function brokenOff(ref: string, cause?: unknown): Failure {
  return new Failure('not-ready', 'The log broke off: the coordinator went away. The worker is not affected.', {
    hint: `coordinator logs ${ref}`,
    cause,
  })
}
