import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { LogEntry, LogOptions } from './engine.ts'
import { demultiplex } from './demultiplex.ts'
import { engineFailure } from './engine-failure.ts'

/**
 * The log of a container as it is on the wire. Not through dockerode's own `logs`: that reads the whole log into memory
 * unless it is followed, and a log may be 50 MB.
 */
export function openLog(docker: Docker, id: string, options: LogOptions): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const request = {
      path: `/containers/${id}/logs?`,
      method: 'GET',
      isStream: true,
      statusCodes: { 200: true, 404: 'no such container', 409: 'being removed', 500: 'server error' },
      options: logOptions(options),
    }
    docker.modem.dial(request, (error, stream) => {
      if (stream instanceof Readable) resolve(stream)
      else reject(error instanceof Error ? error : new Error('the engine answered a log request without a stream'))
    })
  })
}

type Reading = {
  signal?: AbortSignal | undefined
  /** How long the engine may take to the next piece; one that is followed may say nothing for ever. Milliseconds. */
  silence?: number
}

/** The entries of a log's stream, until its end or the signal; the stream is closed in any case. */
export function logEntries(stream: Readable, { signal, silence }: Reading): AsyncGenerator<LogEntry> {
  // Whoever leaves before the first entry is read: a generator that was never begun closes nothing.
  const abort = (): void => void stream.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  // Whoever left while the engine was asked: an aborted signal tells nobody again.
  if (signal?.aborted === true) abort()
  // Its reader hears of an error; until there is one, nobody may die of it.
  stream.on('error', () => {})
  return readEntries(stream, silence, signal, abort)
}

async function* readEntries(
  stream: Readable,
  silence: number | undefined,
  signal: AbortSignal | undefined,
  abort: () => void,
): AsyncGenerator<LogEntry> {
  try {
    for await (const { output, data } of demultiplex(silence === undefined ? stream : inTime(stream, silence))) {
      // "2026-01-31T10:00:00.123456789Z data"
      const space = data.indexOf(32)
      yield { at: data.subarray(0, space).toString(), output, data: data.subarray(space + 1) }
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
  } finally {
    signal?.removeEventListener('abort', abort)
    stream.destroy()
  }
}

/** The pieces of a stream; fails when the next one does not come in time. A reader may take what time it needs. */
async function* inTime(stream: Readable, silence: number): AsyncGenerator<Buffer> {
  const late = (): void => {
    stream.destroy(engineFailure(`The Docker engine said nothing for ${silence / 1000} s in the middle of an answer.`))
  }
  let timer = setTimeout(late, silence)
  try {
    for await (const chunk of stream) {
      clearTimeout(timer)
      yield chunk
      timer = setTimeout(late, silence)
    }
  } finally {
    clearTimeout(timer)
  }
}

function logOptions(options: LogOptions): Record<string, unknown> {
  return {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow: options.follow,
    ...(options.tail === undefined ? {} : { tail: options.tail }),
    ...(options.since === undefined ? {} : { since: options.since / 1000 }),
  }
}
