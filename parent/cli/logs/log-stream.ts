import { FAILURE_TRAILER, LEAVING_HEADER, ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import { FrameDecoder, type Frame } from '../../../coordinator/contract/frames.ts'
import { bytesOf } from '../bytes.ts'
import type { Context } from '../context.ts'
import { errorCode } from '../../../coordinator/contract/error-code.ts'
import { pause } from '../persist.ts'
import type { LogWriter } from './log-writer.ts'

export type LogQuery = { follow: boolean; tail?: number; since?: number; after?: string; timestamps?: boolean }

export type LogStream = {
  /** Reads to the end of the log, once more from the start if it is called again. True = the reader is still there. */
  copy: () => Promise<boolean>
}

/** `after`: the coordinator left, and said where to go on. */
type Reading = 'end' | 'reader-gone' | 'broken' | 'misaligned' | { after: string }

/** Milliseconds between two readings of a log that breaks off, and how many in a row may bring nothing new. */
const BREAK_PAUSE = 200
const MOST_FRUITLESS = 50

/**
 * A worker's log as it comes. Where a coordinator leaves it says how far it was read, and the next one goes on from there.
 * One that just breaks off is read again from its beginning, and what has been written already is left out; only where it
 * began with its last lines (tail) that beginning cannot be found again. So nothing is lost or repeated.
 */
export function logStream(
  context: Context,
  ref: string,
  query: LogQuery,
  writer: LogWriter,
  signal?: AbortSignal,
): LogStream {
  let wanted = query
  /** Bytes of it that were written. */
  let written = { stdout: 0, stderr: 0 }
  let readings = 0

  const read = async (): Promise<Reading> => {
    const skip = { ...written }
    const response = await context.control.open({ path: pathOf(ref, wanted), ...(signal && { signal }) })
    const notice = response.headers['hal9000-notice']
    readings += 1
    if (readings === 1 && typeof notice === 'string') context.say(notice)
    // The log's beginning is gone, so what has been written cannot be found in it any more.
    if (readings > 1 && notice !== undefined && wanted === query) {
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
    const failure = response.trailers[FAILURE_TRAILER]
    if (failure !== undefined) throw Failure.fromShape(JSON.parse(decodeURIComponent(failure)))
    const after = response.trailers[LEAVING_HEADER]
    if (after !== undefined) return { after }
    return decoder.incomplete > 0 ? 'broken' : 'end'
  }
  const want = (other: LogQuery): void => {
    wanted = other
    written = { stdout: 0, stderr: 0 }
  }

  const copy = async (): Promise<boolean> => {
    const { follow, timestamps = false } = query
    for (let fruitless = 0; fruitless < MOST_FRUITLESS; fruitless += 1) {
      const before = written.stdout + written.stderr
      const reading = await read().catch((error: unknown) => brokenOr(error, signal))
      if (reading === 'end' || reading === 'reader-gone') return reading === 'end'
      if (reading === 'broken' && wanted.tail !== undefined) {
        if (wanted === query) break
        want(wanted)
      }
      if (reading === 'misaligned') {
        context.say('The log broke off and is too long to be read again: output may be missing here.')
        want({ follow, timestamps, tail: 0 })
      }
      if (written.stdout + written.stderr > before) fruitless = 0
      if (typeof reading === 'object') {
        fruitless = 0
        want({ follow, timestamps, after: reading.after })
      }
      await pause(BREAK_PAUSE, signal)
    }
    throw new Failure('not-ready', 'The log broke off: the coordinator went away. The worker is not affected.', {
      hint: `coordinator logs ${ref}`,
    })
  }
  return { copy }
}

/** The part of a frame that was not written in an earlier reading; counts `skip` down. */
function unseen(frame: Frame, skip: Record<Frame['output'], number>): Frame {
  const old = Math.min(skip[frame.output], frame.data.length)
  skip[frame.output] -= old
  return old === 0 ? frame : { output: frame.output, data: frame.data.subarray(old) }
}

/** What cuts a stream is a reason to read on; anything else is thrown. */
function brokenOr(error: unknown, signal: AbortSignal | undefined): Reading {
  if (signal?.aborted === true) throw signal.reason
  if (errorCode(error) === 'ECONNRESET') return 'broken'
  throw error
}

function pathOf(ref: string, query: LogQuery): string {
  const parameters = new URLSearchParams({ follow: query.follow ? '1' : '0', timestamps: query.timestamps ? '1' : '0' })
  if (query.tail !== undefined) parameters.set('tail', String(query.tail))
  if (query.after !== undefined) parameters.set('after', query.after)
  if (query.since !== undefined) parameters.set('since', String(query.since))
  return `${routeFor(ROUTE.logs, ref)}?${parameters.toString()}`
}
