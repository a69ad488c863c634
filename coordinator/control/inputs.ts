import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { MAX_INPUT, ROUTE } from '../contract/control.ts'
import { RequestId } from '../contract/names.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { answer } from './workers.ts'

const InputParams = z.object({ id: RequestId })
const Bytes = z.instanceof(Buffer, { error: 'are no bytes (application/octet-stream)' })

/** The input of a request that follows. Not in the request: it may be large, and need not stay here while that waits. */
export function inputRoutes(server: FastifyInstance, { inputs }: ControlContext): void {
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  server.put(ROUTE.input, { bodyLimit: MAX_INPUT }, async (request) => {
    const { id } = parseInput(InputParams, request.params)
    const bytes = parseInput(Bytes, request.body)
    await inputs.keep(id, bytes)
    return answer({ bytes: bytes.length })
  })
}
