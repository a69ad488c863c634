import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import { Failure } from '../contract/failure.ts'
import { AttachQuery, TerminalSize } from '../contract/request.ts'
import { SCHEMA_VERSION } from '../contract/worker.ts'
import type { ControlContext } from './context.ts'
import { parseInput } from './invalid.ts'
import { answer } from './workers.ts'

const PATH = /^\/v1\/workers\/([^/?]+)\/attach$/

/** Terminals: opened by an HTTP upgrade, after which both directions are raw bytes. */
export function attachRoutes(server: FastifyInstance, context: ControlContext): void {
  const { attachments } = context
  const idOf = (params: unknown): string => parseInput(AttachQuery.pick({ id: true }), params).id

  server.post(ROUTE.resize, async (request) => {
    await attachments.resize(idOf(request.params), parseInput(TerminalSize, request.body))
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
  const url = new URL(request.url ?? '/', 'http://control')
  const ref = PATH.exec(url.pathname)?.[1]
  if (ref === undefined) throw new Failure('usage', 'This route does not take an upgrade.')
  const query = parseInput(AttachQuery, Object.fromEntries(url.searchParams))
  const worker = await context.roster.find(decodeURIComponent(ref))
  await context.attachments.open(worker, query, () => {
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
