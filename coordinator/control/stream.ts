import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply } from 'fastify'
import { FAILURE_TRAILER, LEAVING_HEADER } from '../contract/control.ts'
import { Failure } from '../contract/failure.ts'

/** A stream that is followed ends early when the coordinator leaves, as the signal says; `place`: where to go on then. */
export type Followed = { leaving: AbortSignal; place: () => string }

/**
 * Answers with a stream whose headers go out at once, so that the client knows it is heard before there is anything to say:
 * what can fail by itself (Redis or the engine away) has been opened before, and was answered as the failure it is.
 * A client that leaves ends the source; a source that fails cuts the connection, which the client sees as an incomplete
 * answer. One that is followed and ended because the coordinator leaves says so in a trailer.
 */
export async function sendStream(
  reply: FastifyReply,
  headers: Record<string, string>,
  source: AsyncIterable<Buffer | string>,
  followed?: Followed,
): Promise<void> {
  reply.hijack()
  reply.raw.writeHead(200, { ...headers, ...(followed && { trailer: LEAVING_HEADER }) })
  reply.raw.flushHeaders()
  try {
    await pipeline(Readable.from(source, { objectMode: false }), reply.raw, { end: false })
  } catch {
    reply.raw.destroy()
    return
  }
  if (followed?.leaving.aborted === true) reply.raw.addTrailers({ [LEAVING_HEADER]: followed.place() })
  reply.raw.end()
}

/** The same source, whose failure ends the answer well and is told after it: for what asking again would not mend. */
export async function* tellingFailure<T>(source: AsyncIterable<T>, reply: FastifyReply): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    const failure = Failure.from(error)
    if (failure.code !== 'engine-unreachable') throw failure
    reply.raw.addTrailers({ [FAILURE_TRAILER]: encodeURIComponent(JSON.stringify(failure.toShape())) })
  }
}
