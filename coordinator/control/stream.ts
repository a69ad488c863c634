import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply } from 'fastify'

/**
 * Answers with a stream whose headers go out at once, so that the client knows it is heard before there is anything to say:
 * what can fail by itself (Redis or the engine away) has been opened before, and was answered as the failure it is.
 * A client that leaves ends the source; a source that fails cuts the connection, which the client sees as an incomplete answer.
 */
export async function sendStream(
  reply: FastifyReply,
  headers: Record<string, string>,
  source: AsyncIterable<Buffer | string>,
): Promise<void> {
  reply.hijack()
  reply.raw.writeHead(200, headers)
  reply.raw.flushHeaders()
  await pipeline(Readable.from(source, { objectMode: false }), reply.raw).catch(() => reply.raw.destroy())
}
