import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import { Failure } from '../contract/failure.ts'
import { AttachmentId, AttachRequest, TerminalSize } from '../contract/request.ts'
import { SCHEMA_VERSION } from '../contract/worker.ts'
import { z } from 'zod'
import type { ControlContext } from './context.ts'
import { leavingFailure } from './leaving.ts'
import { parseInput } from './invalid.ts'
import { answer, refOf } from './workers.ts'

const PATH = /^\/v1\/attachments\/([^/?]+)$/

const AttachmentParams = z.object({ id: AttachmentId })

/**
 * The ways into a worker, in two steps: what is wanted is announced with an ordinary request, since it may be long, and
 * opened with an HTTP upgrade, after which both directions are bytes (control/attachments.ts says of which form).
 */
export function attachRoutes(server: FastifyInstance, context: ControlContext): void {
  const { attachments, roster } = context
  const idOf = (params: unknown): string => parseInput(AttachmentParams, params).id

  server.post(ROUTE.attach, async (request) => {
    const wanted = parseInput(AttachRequest, request.body)
    const worker = await roster.find(refOf(request))
    attachments.announce(worker, wanted)
    return answer({ worker })
  })

  server.post(ROUTE.resize, async (request) => {
    await attachments.resize(idOf(request.params), parseInput(TerminalSize, request.body))
    return answer({})
  })

  server.post(ROUTE.hangUp, async (request) => {
    attachments.hangUp(idOf(request.params))
    return answer({})
  })

  server.get(ROUTE.outcome, async (request) => answer(await attachments.outcome(idOf(request.params))))

  server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {}) // A client that went away; its end is seen by whoever reads it.
    upgrade(request, socket, head, context).catch((error: unknown) => {
      const failure = Failure.from(error)
      context.log.info({ err: failure, url: request.url }, 'attach refused')
      refuse(socket, failure)
    })
  })
}

async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, context: ControlContext): Promise<void> {
  if (context.leaving.hasBegun) throw leavingFailure()
  const id = PATH.exec(request.url ?? '')?.[1]
  if (id === undefined) throw new Failure('usage', 'This route does not take an upgrade.')
  await context.attachments.open(parseInput(AttachmentId, id), () => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: hal9000-terminal\r\n\r\n')
    if (head.length > 0) socket.unshift(head)
    return socket
  })
}

function refuse(socket: Duplex, failure: Failure): void {
  const body = JSON.stringify({ schemaVersion: SCHEMA_VERSION, error: failure.toShape() })
  const status = failure.code === 'not-found' ? 404 : 409
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
