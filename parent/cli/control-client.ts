import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { Failure } from '../../coordinator/contract/failure.ts'
import { failureOf, readAnswer } from './answer.ts'
import { Cut, cutOf } from './cut.ts'
import { persist } from './persist.ts'

type Call = {
  method?: 'GET' | 'POST' | 'PUT'
  path: string
  /** Bytes as they are, anything else as JSON. */
  body?: object | Buffer
  /** How long cut connections and "not ready" are met with another try. Milliseconds, default 10 s. */
  patience?: number
  /** When to give up whatever happens. Milliseconds from the first try; default never. */
  deadline?: number
  /** How long one answer may take. Milliseconds, default 20 s; Infinity = until it comes. */
  answerWithin?: number
  signal?: AbortSignal
}

export type Upgraded = { socket: Duplex; head: Buffer }

/** The coordinator, seen from a command. Every failure it answers is thrown as a Failure. */
export type Control = {
  /** A JSON answer. */
  call: <T>(call: Call) => Promise<T>
  /** An answer that streams; the caller reads it. `signal` ends it. */
  open: (call: Call) => Promise<IncomingMessage>
  /** Raw bytes both ways. */
  upgrade: (call: Call, protocol: string) => Promise<Upgraded>
}

export type ControlOptions = { socketPath: string; now: () => number; retryEvery?: number; absentLimit?: number }

/**
 * How long one answer may take unless the call says otherwise: more than the coordinator gives a silent engine, which is 5 s
 * to connect and 10 s to answer. So it is told what is silent. Milliseconds.
 */
const ANSWER = 20_000
/** How long the tries after a cut may go on unless the call says otherwise. Milliseconds. */
const PATIENCE = 10_000
/** A longer timer fires at once (Node, setTimeout); whoever waits so long waits for ever. Milliseconds. */
export const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Speaks HTTP over the coordinator's unix socket. A call that was cut off is sent again as it is: every request of the
 * control API can be repeated, and a spawn carries its id.
 */
export function controlClient(options: ControlOptions): Control {
  const again = <T>(call: Call, attempt: () => Promise<T>): Promise<T> =>
    persist(attempt, {
      now: options.now,
      patience: call.patience ?? PATIENCE,
      absentLimit: Math.min(options.absentLimit ?? PATIENCE, call.patience ?? PATIENCE),
      deadline: call.deadline ?? Infinity,
      every: options.retryEvery ?? 200,
      signal: call.signal,
      socketPath: options.socketPath,
    })
  return {
    call: <T>(call: Call) =>
      again(call, () => exchange(options.socketPath, call, {}, (response) => readAnswer<T>(response))),
    open: (call) =>
      again(call, () =>
        exchange(options.socketPath, call, {}, async (response) => {
          if (response.statusCode === 200) return response
          throw await failureOf(response)
        }),
      ),
    upgrade: (call, protocol) =>
      again(call, () =>
        exchange<Upgraded>(
          options.socketPath,
          call,
          { connection: 'Upgrade', upgrade: protocol },
          async (response) => {
            throw await failureOf(response)
          },
          (upgraded) => upgraded,
        ),
      ),
  }
}

/** One try: sends the request, hands the answer to `read`, or the raw connection to `take`. */
function exchange<T>(
  socketPath: string,
  call: Call,
  headers: Record<string, string>,
  read: (response: IncomingMessage) => Promise<T>,
  take?: (upgraded: Upgraded) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const raw = Buffer.isBuffer(call.body) ? call.body : undefined
    const body = raw ?? (call.body && Buffer.from(JSON.stringify(call.body)))
    const sent = request({
      // Without an agent, whose work for TLS server names alone takes 3 ms.
      createConnection: () => connect(socketPath),
      method: call.method ?? 'GET',
      path: call.path,
      headers: {
        ...headers,
        ...(body && {
          'content-type': raw ? 'application/octet-stream' : 'application/json',
          'content-length': String(body.length),
        }),
      },
      ...(call.signal && { signal: call.signal }),
    })
    const limit = call.answerWithin ?? ANSWER
    let late: Failure | undefined
    const timer =
      limit <= LONGEST_TIMER
        ? setTimeout(() => {
            late = tooSlow(limit)
            sent.destroy()
          }, limit)
        : undefined
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      if (call.signal?.aborted === true) reject(Failure.from(call.signal.reason))
      else if (late) reject(late)
      else reject(error instanceof Failure || error instanceof Cut ? error : cutOf(error, socketPath))
    }
    sent.on('error', fail)
    sent.on('response', (response) => {
      // A stream outlives this exchange: whoever reads it hears its errors, and nobody else may die of them.
      response.on('error', () => {})
      read(response)
        .finally(() => clearTimeout(timer))
        .then(resolve, fail)
    })
    sent.on('upgrade', (_response, socket, head) => {
      clearTimeout(timer)
      if (take) resolve(take({ socket, head }))
      else socket.destroy()
    })
    sent.end(body)
  })
}

export function tooSlow(limit: number): Failure {
  return new Failure('not-ready', `The coordinator did not answer within ${Math.round(limit / 1000)} s.`, {
    hint: './hal9000 status',
  })
}
