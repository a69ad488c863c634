import { chmod, rename, rm } from 'node:fs/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { Failure, type FailureCode } from '../contract/failure.ts'
import { LEAVING_HEADER } from '../contract/control.ts'
import { formatSize } from '../contract/units.ts'
import { SCHEMA_VERSION } from '../contract/worker.ts'
import { attachRoutes } from './attach.ts'
import type { ControlContext } from './context.ts'
import { eventRoutes } from './events.ts'
import { inputRoutes } from './inputs.ts'
import { logRoutes } from './logs.ts'
import { queueRoutes } from './queue.ts'
import { statsRoutes } from './stats.ts'
import { reconcileRoutes } from './reconcile.ts'
import { statusRoutes } from './status.ts'
import { workerRoutes } from './workers.ts'

/** Room for a request with its environment, secrets and arguments. Bytes. */
const BODY_LIMIT = 16 * 1024 * 1024

/** Longest reference to a worker, escaped. Longer ones are no worker's. */
const MAX_REFERENCE = 16_384

/** The control API on its unix socket, open to its owner only. Returns once it listens. */
export async function listen(socketPath: string, context: ControlContext): Promise<FastifyInstance> {
  const { leaving } = context
  const server = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    // What is open when the coordinator leaves has been told by then; and who comes then is told by us (leaving.ts).
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_REFERENCE },
    frameworkErrors: (error, _request, reply) => {
      const failure = new Failure('invalid-value', 'The request has an address that cannot be read.', { cause: error })
      reply.hijack()
      reply.raw.writeHead(400, { 'content-type': 'application/json' })
      reply.raw.end(JSON.stringify({ schemaVersion: SCHEMA_VERSION, error: failure.toShape() }))
    },
  })
  server.setErrorHandler((error, request, reply) => {
    const failure = asFailure(error)
    void reply.status(STATUS[failure.code] ?? 500)
    const body = { schemaVersion: SCHEMA_VERSION, error: failure.toShape() }
    if (leaving.hasBegun && failure.code === 'not-ready') return reply.header(LEAVING_HEADER, '').send(body)
    // Logged once, here: a fault of ours with its cause, a person's mistake as a line of information.
    const level = failure.code === 'unexpected' ? 'error' : 'info'
    context.log[level](
      { err: failure, method: request.method, url: request.url, request: requestOf(request.body) },
      failure.message,
    )
    return reply.send(body)
  })
  server.setNotFoundHandler(() => {
    throw new Failure(
      'usage',
      'The control API has no such route; is the command of another version than the coordinator?',
    )
  })
  leaving.guard(server)
  // A coordinator that has been succeeded answers nobody: the client asks again, and reaches the successor.
  server.addHook('onRequest', () => context.stillHeld())
  statusRoutes(server, context)
  reconcileRoutes(server, context)
  inputRoutes(server, context)
  workerRoutes(server, context)
  logRoutes(server, context)
  queueRoutes(server, context)
  statsRoutes(server, context)
  eventRoutes(server, context)
  attachRoutes(server, context)
  // Under a name of its own first: it is closed to others when it appears, and takes the place of what a predecessor left
  // without a moment in between. And libuv removes the name that it was bound to when it is closed, which by then must not
  // be a successor's.
  const own = `${socketPath}.${context.owner.epoch}`
  await rm(own, { force: true })
  await server.listen({ path: own })
  await chmod(own, 0o600)
  await rename(own, socketPath)
  return server
}

/** HTTP statuses, where they say more than "failed"; commands go by the code in the body. */
const STATUS: Partial<Record<FailureCode, number>> = {
  usage: 400,
  'invalid-value': 400,
  'engine-unreachable': 502,
  'not-ready': 503,
  'not-found': 404,
  'image-missing': 404,
  'pull-failed': 502,
  'project-missing': 404,
  ambiguous: 404,
  'name-in-use': 409,
  'wrong-state': 409,
  'refused-by-policy': 403,
  'queue-full': 429,
  'queue-timeout': 429,
}

function asFailure(error: unknown): Failure {
  if (error instanceof Error && 'statusCode' in error && !(error instanceof Failure)) {
    if (error.statusCode === 413) {
      const most = formatSize(BODY_LIMIT)
      return new Failure('invalid-value', `The request is larger than the ${most} that it may be.`, { cause: error })
    }
    if (error.statusCode === 400) return new Failure('usage', error.message, { cause: error })
  }
  return Failure.from(error)
}

function requestOf(body: unknown): string | undefined {
  return typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string' ? body.id : undefined
}
