import type { FastifyInstance } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import { encodeFrame } from '../contract/frames.ts'
import { LogsQuery } from '../contract/request.ts'
import type { Entry } from '../state/worker-log.ts'
import { cutNotice, workerLogs } from '../workers/logs.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { sendStream, tellingFailure } from './stream.ts'
import { closed, refOf } from './workers.ts'

/** A worker's output as frames (contract/frames.ts): its two outputs kept apart. */
export function logRoutes(server: FastifyInstance, context: ControlContext): void {
  server.get(ROUTE.logs, async (request, reply) => {
    const query = parseInput(LogsQuery, request.query)
    const worker = await context.roster.find(refOf(request))
    const { signal } = context.leaving
    // One that is not followed comes to its end by itself.
    const enough = query.follow ? AbortSignal.any([closed(request), signal]) : closed(request)
    const { entries, place } = await workerLogs(worker, query, context, enough)
    const notice = cutNotice(worker, context)
    const headers = {
      'content-type': 'application/octet-stream',
      ...(notice === undefined ? {} : { 'hal9000-notice': notice }),
    }
    const output = frames(entries, query.timestamps)
    // A follower asks again until the engine is back; who wants what there is now is told that it cannot be had.
    await sendStream(
      reply,
      headers,
      query.follow ? output : tellingFailure(output, reply),
      place && { leaving: signal, place },
    )
  })
}

async function* frames(entries: AsyncIterable<Entry>, timestamps: boolean): AsyncGenerator<Buffer> {
  const inLine = { stdout: false, stderr: false }
  for await (const { at, output, data } of entries) {
    const prefix = timestamps && !inLine[output] ? `${at} ` : ''
    inLine[output] = data.at(-1) !== 10
    yield encodeFrame({ output, data: prefix === '' ? data : Buffer.concat([Buffer.from(prefix), data]) })
  }
}
