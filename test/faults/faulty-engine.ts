import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

const ENGINE = '/var/run/docker.sock'

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
const HALF = '[{"Id":"4a8'
/** A chunk as it is on the wire (RFC 9112, section 7.1). */
const CHUNK = `${HALF.length.toString(16)}\r\n${HALF}\r\n`

/** What becomes of a request instead of an answer. */
export type Fault = (client: Duplex) => void

/** Ways of an engine to say nothing more, with its connections open. */
export const SILENCES: Record<string, Fault> = {
  'accepts and says nothing': () => {},
  'stops in the middle of its headers': (client) => client.write('HTTP/1.1 200 OK\r\nContent-Ty'),
  'stops after its headers': (client) => client.write(`${OK}Content-Length: 900\r\n\r\n`),
  'stops before the first of its chunks': (client) => client.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`),
  'stops in the middle of its answer': (client) => client.write(`${OK}Content-Length: 900\r\n\r\n${HALF}`),
  'stops after one of its chunks': (client) => client.write(`${OK}Transfer-Encoding: chunked\r\n\r\n${CHUNK}`),
}

/** Ways of an engine to end an answer too early. */
export const ENDS: Record<string, Fault> = {
  'hangs up at once': (client) => client.destroy(),
  'hangs up in the middle of its answer': (client) => client.end(`${OK}Content-Length: 900\r\n\r\n${HALF}`),
  'hangs up in the middle of its chunks': (client) => client.end(`${OK}Transfer-Encoding: chunked\r\n\r\n${CHUNK}`),
  'gives half an answer for a whole one': (client) =>
    client.end(`${OK}Connection: close\r\nContent-Length: ${HALF.length}\r\n\r\n${HALF}`),
}

/** All of them in turn, a request each. */
export function inTurn(faults: readonly Fault[]): Fault {
  let next = 0
  return (client) => {
    faults[next % faults.length]?.(client)
    next += 1
  }
}

type Trouble = { fault: Fault; only: RegExp }

/**
 * The host's engine behind a socket of its own that forwards everything, also what is upgraded and half-closed, until it is
 * told otherwise. What was being forwarded then is silent for ever, as behind an engine that died without a word.
 */
export class FaultyEngine implements AsyncDisposable {
  readonly #home: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** What is being forwarded, and how to have it silent. */
  readonly #forwarded = new Map<string, Set<() => void>>()
  #trouble: Trouble | undefined
  /** How much later every answer comes. Milliseconds. */
  late = 0

  private constructor(home: string) {
    this.#home = home
    this.#server = createServer(
      (asked, answer) => void this.#take(asked, asked.socket, () => this.#forward(asked, answer)),
    )
    this.#server.on('upgrade', (asked: IncomingMessage, client: Duplex, head: Buffer) => {
      client.on('error', () => {})
      void this.#take(asked, client, () => this.#tunnel(asked, client, head))
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    // As the engine's: an idle connection stays.
    Object.assign(this.#server, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 })
  }

  static async start(): Promise<FaultyEngine> {
    const engine = new FaultyEngine(await mkdtemp(join(tmpdir(), 'hal9000-faulty-')))
    await new Promise<void>((resolve) => engine.#server.listen(engine.socket, resolve))
    return engine
  }

  get socket(): string {
    return join(this.#home, 'docker.sock')
  }

  /** From now on requests meet the fault, all of them or those whose "METHOD path" fits. */
  fail(fault: Fault, only = /(?:)/): void {
    this.#trouble = { fault, only }
    for (const [what, silencers] of this.#forwarded) if (only.test(what)) for (const silence of silencers) silence()
  }

  /** It answers again. What hung goes on hanging. */
  recover(): void {
    this.#trouble = undefined
    this.late = 0
  }

  /** How many connections it has, and how many of these requests are being forwarded and not silent. */
  get connections(): number {
    return this.#sockets.size
  }

  listeners(what: RegExp): number {
    return [...this.#forwarded].reduce((sum, [name, silencers]) => sum + (what.test(name) ? silencers.size : 0), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    await rm(this.#home, { recursive: true })
  }

  async #take(asked: IncomingMessage, client: Duplex, forward: () => void): Promise<void> {
    if (this.late > 0) await new Promise((resolve) => setTimeout(resolve, this.late))
    const what = `${asked.method} ${asked.url}`
    if (this.#trouble?.only.test(what)) this.#trouble.fault(client)
    else forward()
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, url, headers } = asked
    const sent = request({ socketPath: ENGINE, agent: false, method, path: url, headers })
    let silent = false
    let received: IncomingMessage | undefined
    // What goes wrong behind a whole answer must not take the client's connection with it: it is used again.
    const broken = (): void => void (answer.writableFinished || answer.destroy())
    const over = this.#begin(asked, () => {
      silent = true
      received?.unpipe(answer)
    })
    sent.on('response', (response) => {
      if (silent) return
      received = response
      const { connection: _, ...kept } = response.headers
      answer.writeHead(response.statusCode ?? 502, kept)
      answer.flushHeaders()
      response.on('error', broken).pipe(answer)
    })
    sent.on('error', broken)
    answer.on('close', () => {
      over()
      sent.destroy()
    })
    asked.pipe(sent)
  }

  /** Raw bytes both ways from the head of the request on; each direction ends by itself. */
  #tunnel(asked: IncomingMessage, client: Duplex, head: Buffer): void {
    const engine = connect({ path: ENGINE, allowHalfOpen: true })
    const over = this.#begin(asked, () => {
      client.unpipe(engine)
      engine.unpipe(client)
    })
    // In one piece, as it came: the engine takes what comes later for input.
    engine.write(Buffer.concat([Buffer.from(rawHead(asked)), head]))
    client.pipe(engine).pipe(client)
    client.on('close', () => engine.destroy())
    engine
      .on('error', () => {})
      .on('close', () => {
        over()
        client.end()
      })
  }

  /** Notes that a request is being forwarded, and how to have that silent; the answer takes it back. */
  #begin(asked: IncomingMessage, silence: () => void): () => void {
    const what = `${asked.method} ${asked.url}`
    const silencers = this.#forwarded.get(what) ?? new Set()
    this.#forwarded.set(what, silencers)
    const silencer = (): void => {
      silence()
      silencers.delete(silencer)
    }
    silencers.add(silencer)
    return () => {
      silencers.delete(silencer)
      if (silencers.size === 0) this.#forwarded.delete(what)
    }
  }
}

function rawHead({ method, url, rawHeaders: raw }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`]
  for (let index = 0; index < raw.length; index += 2) lines.push(`${raw[index]}: ${raw[index + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
