import { Agent } from 'node:http'
import { inspect } from 'node:util'
import Docker from 'dockerode'
import { Failure } from '../contract/failure.ts'
import { engineFailure } from './engine-failure.ts'
import { isReplaced } from './socket.ts'

/** The API versions this code is written for. Docker 20.10 speaks 1.41; nothing newer than 1.44 is needed. */
const OLDEST = '1.40'
const NEWEST = '1.44'

export type Connection = {
  docker: Docker
  /** The version both sides speak, such as "1.41". */
  apiVersion: string
  /** The engine's own version, such as "20.10.24". */
  engineVersion: string
  call: Call
}

/**
 * Runs one call to the engine with a deadline of our own (milliseconds), because a call whose connection dies after
 * the response headers never settles in dockerode (facts). `what` names the call in the failure.
 */
export type Call = <T>(what: string, deadline: number, work: () => Promise<T>) => Promise<T>

/** Connects on first use, and again until it worked once: the engine may come up after the coordinator. */
export function connector(socketPath: string): () => Promise<Connection> {
  let connection: Promise<Connection> | undefined
  return () => {
    connection ??= connect(socketPath).catch((error: unknown) => {
      connection = undefined
      throw error
    })
    return connection
  }
}

/**
 * Connects to the engine and agrees on an API version.
 * Fails with `engine-unreachable` when nothing answers within `deadline` milliseconds or no version fits both.
 */
export async function connect(socketPath: string, deadline = 5000): Promise<Connection> {
  const call: Call = (what, limit, work) => withDeadline(socketPath, what, limit, work)
  const unversioned = new Docker({ socketPath })
  const answer = await call('version', deadline, () => unversioned.version())
  if (typeof answer.ApiVersion !== 'string') throw engineFailure(`What answers at ${socketPath} is no Docker engine.`)
  const apiVersion = negotiate(answer.ApiVersion, answer.MinAPIVersion)
  const options = {
    socketPath,
    version: `v${apiVersion}`,
    agent: new OpaqueAgent({ keepAlive: true, maxFreeSockets: 8 }),
  }
  return {
    docker: new Docker(options),
    apiVersion,
    engineVersion: answer.Version,
    call,
  }
}

/**
 * docker-modem formats its options for a debug line before every call, whether or not anybody debugs: to any depth, so
 * with all sockets of the agent and all that hangs on them. A stop of 50 workers took 30 s of processor time for that,
 * and the heap grew by 80 MB.
 */
class OpaqueAgent extends Agent {
  [inspect.custom](): string {
    return 'Agent'
  }
}

/** The newest version that both the engine (`offered`, `least`) and this code speak. */
export function negotiate(offered: string, least: string | undefined): string {
  if (compare(offered, OLDEST) < 0) {
    throw engineFailure(`The Docker engine speaks API ${offered}; ${OLDEST} or newer is needed.`)
  }
  if (least !== undefined && compare(least, NEWEST) > 0) {
    throw engineFailure(`The Docker engine wants API ${least} or newer; this hal9000 speaks up to ${NEWEST}.`)
  }
  return compare(offered, NEWEST) < 0 ? offered : NEWEST
}

function compare(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}

async function withDeadline<T>(socketPath: string, what: string, limit: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(engineFailure(`The Docker engine at ${socketPath} did not answer "${what}" within ${limit / 1000} s.`))
    }, limit)
  })
  try {
    return await Promise.race([work(), late])
  } catch (error) {
    throw translate(error, socketPath, what)
  } finally {
    clearTimeout(timer)
  }
}

const AWAY = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'EACCES', 'ETIMEDOUT', 'EAGAIN'])

/** A connection error becomes `engine-unreachable`; an HTTP answer passes on, its caller knows what it means. */
function translate(error: unknown, socketPath: string, what: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // HPE_…: what answered is no HTTP (Node's parser).
  if (typeof code !== 'string' || !(AWAY.has(code) || code.startsWith('HPE_'))) return error
  if (isReplaced(socketPath)) {
    return new Failure(
      'engine-unreachable',
      'The Docker engine was restarted, and the parent still has its old socket.',
      {
        hint: './hal9000 restart',
        cause: error,
      },
    )
  }
  return engineFailure(`The Docker engine at ${socketPath} does not answer "${what}" (${code}).`, error)
}
