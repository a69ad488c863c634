import type { Duplex } from 'node:stream'
import { Failure } from '../contract/failure.ts'
import { ContainerId } from '../contract/names.ts'
import type { AttachQuery, TerminalSize } from '../contract/request.ts'
import type { AttachOutcome, Worker } from '../contract/worker.ts'
import type { Terminal } from '../docker/engine.ts'
import { fromRecord } from '../domain/worker-view.ts'
import type { Context } from '../workers/context.ts'

/** Scripts of the worker image. */
const ATTACH = '/usr/lib/hal9000/attach'
const DETACH = '/usr/lib/hal9000/detach'
/** Terminals open at once, over all workers. */
const MAX_OPEN = 256
/** How long the outcome of a closed attachment can be asked for. Milliseconds. */
const REMEMBER = 60_000
/** How long a worker whose session ended may take until its end is recorded. Milliseconds. */
const END = 10_000

type Attachment = { worker: Worker; terminal: Terminal; outcome: Promise<AttachOutcome> }

/** The terminals that are attached to workers' sessions through the coordinator. */
export class Attachments {
  readonly #context: Context
  readonly #open = new Map<string, Attachment>()

  constructor(context: Context) {
    this.#context = context
  }

  /**
   * Joins a client to a worker's session; `accept` gives the client's connection once the worker's terminal is there.
   * Fails with `wrong-state` when there is nothing to attach to.
   */
  async open(worker: Worker, query: AttachQuery, accept: () => Duplex): Promise<void> {
    checkAttachable(worker)
    if (this.#open.size >= MAX_OPEN) throw new Failure('queue-full', `${MAX_OPEN} terminals are attached already.`)
    if (this.#open.has(query.id)) throw new Failure('invalid-value', `An attachment "${query.id}" is open already.`)
    const terminal = await this.#terminal(worker, query)
    const client = accept()
    const outcome = this.#join(query.id, worker, terminal, client)
    this.#open.set(query.id, { worker, terminal, outcome })
    outcome.catch((error: unknown) =>
      this.#context.log.warn({ err: error, request: worker.request }, 'an attachment ended badly'),
    )
  }

  /** A command may end while somebody attaches to it: the engine knows first, and the record follows. */
  async #terminal(worker: Worker, { id, term, columns, rows }: AttachQuery): Promise<Terminal> {
    try {
      return await this.#context.engine.terminal(ContainerId.parse(worker.id), [ATTACH, id, term], { columns, rows })
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'wrong-state') throw error
      const record = await this.#context.records.ended(worker.request, AbortSignal.timeout(END)).catch(() => undefined)
      if (record !== undefined) checkAttachable(fromRecord(record))
      throw error
    }
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    await this.#find(id).terminal.resize(size)
  }

  async outcome(id: string): Promise<AttachOutcome> {
    return await this.#find(id).outcome
  }

  #find(id: string): Attachment {
    const attachment = this.#open.get(id)
    if (attachment === undefined) throw new Failure('not-found', `No attachment is known by "${id}".`)
    return attachment
  }

  /** Carries bytes both ways until one side ends; then the other is ended, and the session's client in the worker too. */
  async #join(id: string, worker: Worker, terminal: Terminal, client: Duplex): Promise<AttachOutcome> {
    const { attached } = this.#context.roster
    const { request } = worker
    attached.set(request, (attached.get(request) ?? 0) + 1)
    client.pipe(terminal.stream, { end: false })
    terminal.stream.pipe(client)
    try {
      const first = await firstToEnd(client, terminal.stream)
      if (first === 'client') await this.#detach(id, worker)
      terminal.stream.destroy()
      return await this.#outcomeOf(worker, first, terminal)
    } finally {
      client.end()
      const left = (attached.get(request) ?? 1) - 1
      if (left > 0) attached.set(request, left)
      else attached.delete(request)
      setTimeout(() => this.#open.delete(id), REMEMBER).unref()
    }
  }

  /** The client went away without a word: its place in the session must not stay (facts, "Attach"). */
  async #detach(id: string, worker: Worker): Promise<void> {
    try {
      await this.#context.engine.run(ContainerId.parse(worker.id), [DETACH, id])
    } catch (error) {
      this.#context.log.debug({ err: error, request: worker.request }, 'nothing left to detach')
    }
  }

  async #outcomeOf(worker: Worker, first: 'client' | 'session', terminal: Terminal): Promise<AttachOutcome> {
    const detached = first === 'client' || (await terminal.exitCode().catch(() => null)) === 0
    if (detached && this.#context.records.get(worker.request)?.end == null) return { outcome: 'detached', worker }
    const record = await this.#context.records.ended(worker.request, AbortSignal.timeout(END)).catch(() => undefined)
    return record === undefined
      ? { outcome: 'detached', worker }
      : { outcome: 'ended', worker: fromRecord(record), exit: record.end }
  }
}

function checkAttachable(worker: Worker): void {
  const { name, state, io } = worker
  if (state === 'ended') {
    throw new Failure('wrong-state', `Worker "${name}" has ended.`, { hint: `coordinator logs ${name}` })
  }
  if (io === 'pipes') {
    throw new Failure('wrong-state', `Worker "${name}" runs without a terminal (--no-tty).`, {
      hint: `coordinator logs -f ${name}`,
    })
  }
  if (state !== 'running' && state !== 'stopping') {
    throw new Failure('wrong-state', `Worker "${name}" is ${state} and cannot be attached to.`, {
      hint: 'coordinator list',
    })
  }
}

function firstToEnd(client: Duplex, session: Duplex): Promise<'client' | 'session'> {
  // It may have ended before anybody listened: a process that says nothing and ends at once.
  if (session.readableEnded || session.destroyed) return Promise.resolve('session')
  return new Promise((resolve) => {
    // Node keeps a server's socket half-open after an upgrade: a client that died is an "end", not a "close".
    for (const event of ['end', 'close', 'error']) client.once(event, () => resolve('client'))
    for (const event of ['end', 'close', 'error']) session.once(event, () => resolve('session'))
  })
}
