import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { ContainerId } from '../contract/names.ts'
import type { LogEntry, LogOptions } from './engine.ts'
import { demultiplex } from './demultiplex.ts'

/**
 * The log of a container as it is on the wire. Not through dockerode's own `logs`: that reads the whole log into memory
 * unless it is followed, and a log may be 50 MB.
 */
export function openLog(docker: Docker, id: ContainerId, options: LogOptions): Promise<Readable> {
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

/** The entries of a log's stream, until its end or the signal; the stream is closed in any case. */
export function logEntries(stream: Readable, signal: AbortSignal | undefined): AsyncGenerator<LogEntry> {
  // Whoever leaves before the first entry is read: a generator that was never begun closes nothing.
  const abort = (): void => void stream.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  // Whoever left while the engine was asked: an aborted signal tells nobody again.
  if (signal?.aborted === true) abort()
  // Its reader hears of an error; until there is one, nobody may die of it.
  stream.on('error', () => {})
  return readEntries(stream, signal, abort)
}

async function* readEntries(
  stream: Readable,
  signal: AbortSignal | undefined,
  abort: () => void,
): AsyncGenerator<LogEntry> {
  try {
    for await (const { output, data } of demultiplex(stream)) {
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
