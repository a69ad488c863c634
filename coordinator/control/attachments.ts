import type { Duplex } from 'node:stream'
import { Failure } from '../contract/failure.ts'
import { ContainerId } from '../contract/names.ts'
import type { AttachRequest, TerminalSize } from '../contract/request.ts'
import type { AttachOutcome, Worker } from '../contract/worker.ts'
import type { Process, Terminal } from '../docker/engine.ts'
import { fromRecord } from '../domain/worker-view.ts'
import type { Context } from '../workers/context.ts'
import { checkEntrance, entranceOf, inputOf } from './entrance.ts'

/** Clients at once, over all workers. */
const MAX_OPEN = 256
/** How long an announced attachment may take to be opened. Milliseconds. */
const ANNOUNCED = 10_000
/** How long the outcome of a closed attachment can be asked for. Milliseconds. */
const REMEMBER = 60_000
/** How long a worker whose session ended may take until its end is recorded. Milliseconds. */
const END = 10_000

type Announced = { worker: Worker; request: AttachRequest }
type Open = Announced & { process: Process | Terminal; client: Duplex }

/**
 * The clients that are in workers through the coordinator. Between a client and a process with a terminal both directions
 * are raw bytes; without one they are frames (contract/frames.ts), and the end of input is a frame too. Either way the end
 * of the client's connection means that it has gone.
 */
export class Attachments {
  readonly #context: Context
  readonly #announced = new Map<string, Announced>()
  readonly #open = new Map<string, Open>()
  readonly #outcomes = new Map<string, Promise<AttachOutcome>>()

  constructor(context: Context) {
    this.#context = context
  }

  /** Says what `open` will be asked for under the request's id. Fails with `wrong-state` when there is no such way in. */
  announce(worker: Worker, request: AttachRequest): void {
    const { id, enter } = request
    checkEntrance(worker, enter)
    if (this.#open.size + this.#announced.size >= MAX_OPEN) {
      throw new Failure('queue-full', `${MAX_OPEN} terminals and commands are open already.`, {
        hint: 'try again later',
      })
    }
    if (this.#outcomes.has(id)) throw new Failure('invalid-value', `The attachment "${id}" was opened already.`)
    this.#announced.set(id, { worker, request })
    setTimeout(() => this.#announced.delete(id), ANNOUNCED).unref()
  }

  /** Lets an announced client in; `accept` gives its connection once the process in the worker is there. */
  async open(id: string, accept: () => Duplex): Promise<void> {
    const announced = this.#announced.get(id)
    if (announced === undefined) throw unknown(id)
    this.#announced.delete(id)
    const process = await this.#begin(announced)
    const open = { ...announced, process, client: accept() }
    this.#open.set(id, open)
    const outcome = this.#join(open)
    this.#outcomes.set(id, outcome)
    outcome.catch((error: unknown) =>
      this.#context.log.warn({ err: error, request: announced.worker.request }, 'an attachment ended badly'),
    )
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    const { process } = this.#find(id)
    if ('resize' in process) await process.resize(size)
  }

  /** The client has gone, and its connection does not show it. */
  hangUp(id: string): void {
    this.#open.get(id)?.client.destroy()
  }

  async outcome(id: string): Promise<AttachOutcome> {
    const outcome = this.#outcomes.get(id)
    if (outcome === undefined) throw unknown(id)
    return await outcome
  }

  #find(id: string): Open {
    const open = this.#open.get(id)
    if (open === undefined) throw unknown(id)
    return open
  }

  async #begin({ worker, request }: Announced): Promise<Process | Terminal> {
    const { engine, records } = this.#context
    const container = ContainerId.parse(worker.id)
    const { enter } = entranceOf(request)
    try {
      return await (request.terminal === null
        ? engine.pipes(container, enter)
        : engine.terminal(container, enter, request.terminal))
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'wrong-state') throw error
      // A command may end while somebody comes in: the engine knows first, and the record follows.
      const record = await records.ended(worker.request, AbortSignal.timeout(END)).catch(() => undefined)
      if (record !== undefined) checkEntrance(fromRecord(record), request.enter)
      throw error
    }
  }

  /** Carries bytes both ways until one side ends; then the other is ended, and what the client began in the worker too. */
  async #join(open: Open): Promise<AttachOutcome> {
    const { worker, request, process, client } = open
    const leave = request.enter === 'session' ? this.#count(worker.request) : () => {}
    connect(client, process.stream, request.terminal !== null)
    try {
      const first = await firstToEnd(client, process.stream)
      if (first === 'client') await this.#leave(open)
      process.stream.destroy()
      return await this.#outcomeOf(open, first)
    } finally {
      client.end()
      leave()
      this.#open.delete(request.id)
      setTimeout(() => this.#outcomes.delete(request.id), REMEMBER).unref()
    }
  }

  /** Counts a terminal that is attached to the session of the worker; the returned function takes it back. */
  #count(request: string): () => void {
    const { attached } = this.#context.roster
    attached.set(request, (attached.get(request) ?? 0) + 1)
    return () => {
      const left = (attached.get(request) ?? 1) - 1
      if (left > 0) attached.set(request, left)
      else attached.delete(request)
    }
  }

  /** The client went away without a word: what it began must not stay (facts, "Attach"). */
  async #leave({ worker, request }: Announced): Promise<void> {
    try {
      await this.#context.engine.run(ContainerId.parse(worker.id), entranceOf(request).leave)
    } catch (error) {
      this.#context.log.debug({ err: error, request: worker.request }, 'nothing left to take leave of')
    }
  }

  async #outcomeOf({ worker, request, process }: Open, first: 'client' | 'process'): Promise<AttachOutcome> {
    const exitCode = first === 'client' ? null : await process.exitCode().catch(() => null)
    if (first === 'process' && request.enter !== 'session') return { outcome: 'exited', worker, exitCode }
    const { records } = this.#context
    const detached = first === 'client' || exitCode === 0
    if (detached && records.get(worker.request)?.end == null) return { outcome: 'detached', worker }
    const record = await records.ended(worker.request, AbortSignal.timeout(END)).catch(() => undefined)
    if (record === undefined) return { outcome: 'ended', worker, exit: null }
    return { outcome: 'ended', worker: fromRecord(record), exit: record.end }
  }
}

function unknown(id: string): Failure {
  return new Failure('not-found', `No attachment is known by "${id}".`)
}

function connect(client: Duplex, process: Duplex, raw: boolean): void {
  if (raw) client.pipe(process, { end: false })
  else {
    const input = inputOf()
    // What cannot be read as frames comes from no client of ours.
    input.on('error', () => client.destroy())
    client.pipe(input).pipe(process)
  }
  process.pipe(client)
}

function firstToEnd(client: Duplex, process: Duplex): Promise<'client' | 'process'> {
  // It may have ended before anybody listened: a process that says nothing and ends at once.
  if (process.readableEnded || process.destroyed) return Promise.resolve('process')
  return new Promise((resolve) => {
    // Node keeps a server's socket half-open after an upgrade: a client that died is an "end", not a "close".
    for (const event of ['end', 'close', 'error']) client.once(event, () => resolve('client'))
    for (const event of ['end', 'close', 'error']) process.once(event, () => resolve('process'))
  })
}
