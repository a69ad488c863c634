import { Agent } from 'node:http'
import { inspect } from 'node:util'
// oxlint-disable-next-line no-restricted-imports -- the one place
import Docker from 'dockerode'
import { Failure } from '../contract/failure.ts'
import { ZodError } from 'zod'
import { engineFailure } from './engine-failure.ts'
import { forOneCall, notUnderstood } from './one-call.ts'
import { isReplaced } from './socket.ts'

/** The API versions this code is written for. Docker 20.10 speaks 1.41; nothing newer than 1.44 is needed. */
const OLDEST = '1.40'
const NEWEST = '1.44'

/** The engine is reached by `call` alone, so that nothing is asked of it without a deadline. */
export type Connection = {
  /** The version both sides speak, such as "1.41". */
  apiVersion: string
  /** The engine's own version, such as "20.10.24". */
  engineVersion: string
  call: Call
}

/**
 * Runs one call to the engine with a deadline of our own (milliseconds), because a call whose connection dies after
 * the response headers never settles in dockerode (facts); then its connection is closed. A stream that `work` has given
 * back is its receiver's. `what` names the call in the failure.
 */
export type Call = <T>(what: string, deadline: number, work: (docker: Docker) => Promise<T>) => Promise<T>

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
  const agent = new EngineAgent({ keepAlive: true, maxFreeSockets: 8 })
  const options = { socketPath, agent }
  const caller =
    (docker: Docker): Call =>
    (what, limit, work) =>
      withDeadline({ socketPath, agent, what, limit }, (signal) => work(forOneCall(docker, signal)))
  const answer = await caller(new Docker(options))('version', deadline, (docker) => docker.version())
  if (typeof answer.ApiVersion !== 'string') throw engineFailure(`What answers at ${socketPath} is no Docker engine.`)
  const apiVersion = negotiate(answer.ApiVersion, answer.MinAPIVersion)
  const negotiated = { ...options, version: `v${apiVersion}` }
  return { apiVersion, engineVersion: answer.Version, call: caller(new Docker(negotiated)) }
}

/**
 * docker-modem formats its options for a debug line before every call, whether or not anybody debugs: to any depth, so
 * with all sockets of the agent and all that hangs on them. A stop of 50 workers took 30 s of processor time for that,
 * and the heap grew by 80 MB.
 */
class EngineAgent extends Agent {
  [inspect.custom](): string {
    return 'Agent'
  }

  /** Closes the connections that wait to be used again. */
  forget(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
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

type Limits = { socketPath: string; agent: EngineAgent; what: string; limit: number }

async function withDeadline<T>(limits: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { socketPath, agent, what, limit } = limits
  const over = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(engineFailure(`The Docker engine at ${socketPath} did not answer "${what}" within ${limit / 1000} s.`))
      over.abort()
      // An engine that died without a word leaves them as silent as this one.
      agent.forget()
    }, limit)
  })
  try {
    return await Promise.race([work(over.signal), late])
  } catch (error) {
    throw translate(error, socketPath, what)
  } finally {
    clearTimeout(timer)
  }
}

const AWAY = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'EACCES', 'ETIMEDOUT', 'EAGAIN'])

/**
 * A connection error becomes `engine-unreachable`, and so does an answer of another shape than an engine's; an HTTP answer
 * passes on, its caller knows what it means.
 */
function translate(error: unknown, socketPath: string, what: string): unknown {
  if (error instanceof ZodError) return notUnderstood(error)
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
