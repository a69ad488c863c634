import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import { encodeFrame } from '../contract/frames.ts'
import { LogsQuery } from '../contract/request.ts'
import type { Entry } from '../state/worker-log.ts'
import { cutNotice, workerLogs } from '../workers/logs.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { closed, refOf } from './workers.ts'

/** A worker's output as frames (contract/frames.ts): its two outputs kept apart. */
export function logRoutes(server: FastifyInstance, context: ControlContext): void {
  server.get(ROUTE.logs, async (request, reply) => {
    const query = parseInput(LogsQuery, request.query)
    const worker = await context.roster.find(refOf(request))
    const entries = workerLogs(worker, query, context, closed(request))
    const first = await entries.next() // What fails at once is answered as a failure, not as a stream that breaks off.
    const notice = cutNotice(worker, context)
    if (notice !== undefined) void reply.header('hal9000-notice', notice)
    return reply.type('application/octet-stream').send(Readable.from(frames(first, entries, query.timestamps), { objectMode: false }))
  })
}

async function* frames(first: IteratorResult<Entry, void>, rest: AsyncGenerator<Entry>, timestamps: boolean): AsyncGenerator<Buffer> {
  const inLine = { stdout: false, stderr: false }
  for (let next = first; !next.done; next = await rest.next()) {
    const { at, output, data } = next.value
    const prefix = timestamps && !inLine[output] ? `${at} ` : ''
    inLine[output] = data.at(-1) !== 10
    yield encodeFrame({ output, data: prefix === '' ? data : Buffer.concat([Buffer.from(prefix), data]) })
  }
}
