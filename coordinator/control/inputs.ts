import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { MAX_INPUT, ROUTE } from '../contract/control.ts'
import { RequestId } from '../contract/names.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { answer } from './workers.ts'

const InputParams = z.object({ id: RequestId })
/** A body that is too large for any request is answered before it is read, and a client may not live to hear that. */
const Input = z
  .instanceof(Buffer, { error: 'an input is bytes (application/octet-stream)' })
  .refine(({ length }) => length <= MAX_INPUT, { error: 'an input is at most 8 MiB' })

/** The input of a request that follows. Not in the request: it may be large, and need not stay here while that waits. */
export function inputRoutes(server: FastifyInstance, { inputs }: ControlContext): void {
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  server.put(ROUTE.input, async (request) => {
    const { id } = parseInput(InputParams, request.params)
    const input = parseInput(Input, request.body)
    await inputs.keep(id, input)
    return answer({ bytes: input.length })
  })
}
