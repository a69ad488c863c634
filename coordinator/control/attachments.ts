import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
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
/**
 * When the coordinator leaves: how long taking leave may take, then what was in the worker to its last bytes, then its
 * client to ask how it ended. Milliseconds; together less than coordinator/shutdown.ts gives.
 */
const LEAVE = 500
const GOODBYE = 150
/** How long a worker whose session ended may take until its end is recorded. Milliseconds. */
const END = 10_000

type Announced = { worker: Worker; request: AttachRequest }
type Open = Announced & {
  process: Process | Terminal
  client: Duplex
  /** The coordinator leaves. */
  left: PromiseWithResolvers<'coordinator'>
}
/** How it ends, and when its client knows. */
type Ending = { outcome: Promise<AttachOutcome>; told: PromiseWithResolvers<void> }

/**
 * The clients that are in workers through the coordinator. Between a client and a process with a terminal both directions
 * are raw bytes; without one they are frames (contract/frames.ts), and the end of input is a frame too. Either way the end
 * of the client's connection means that it has gone.
 */
export class Attachments {
  readonly #context: Context
  readonly #announced = new Map<string, Announced>()
  readonly #open = new Map<string, Open>()
  readonly #endings = new Map<string, Ending>()
  /** Clients that are being let in. */
  readonly #opening = new Set<Promise<void>>()

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
    if (this.#endings.has(id)) throw new Failure('invalid-value', `The attachment "${id}" was opened already.`)
    this.#announced.set(id, { worker, request })
    setTimeout(() => this.#announced.delete(id), ANNOUNCED).unref()
  }

  /** Lets an announced client in; `accept` gives its connection once the process in the worker is there. */
  async open(id: string, accept: () => Duplex): Promise<void> {
    const announced = this.#announced.get(id)
    if (announced === undefined) throw unknown(id)
    this.#announced.delete(id)
    const opening = this.#letIn(announced, accept)
    this.#opening.add(opening)
    await opening.finally(() => this.#opening.delete(opening))
  }

  /** The coordinator leaves: detaches and hangs up on all, and returns when they know. Nobody may be let in any more. */
  async leave(): Promise<void> {
    await this.#leaveOpen()
    if (this.#opening.size === 0) return
    await Promise.allSettled(this.#opening)
    await this.#leaveOpen()
  }

  async #leaveOpen(): Promise<void> {
    const endings = [...this.#open.keys()].flatMap((id) => this.#endings.get(id) ?? [])
    for (const { left } of this.#open.values()) left.resolve('coordinator')
    await Promise.allSettled(endings.map(({ outcome }) => outcome))
    await Promise.race([Promise.all(endings.map(({ told }) => told.promise)), sleep(GOODBYE)])
  }

  async #letIn(announced: Announced, accept: () => Duplex): Promise<void> {
    const { id } = announced.request
    const process = await this.#begin(announced)
    const open = { ...announced, process, client: accept(), left: Promise.withResolvers<'coordinator'>() }
    this.#open.set(id, open)
    const outcome = this.#join(open)
    this.#endings.set(id, { outcome, told: Promise.withResolvers() })
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
    const ending = this.#endings.get(id)
    if (ending === undefined) throw unknown(id)
    return await ending.outcome.finally(() => ending.told.resolve())
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
      const first = await Promise.race([firstToEnd(client, process.stream), open.left.promise])
      if (first === 'client') await this.#leave(open)
      if (first === 'coordinator') {
        await Promise.race([this.#leave(open), sleep(LEAVE)])
        // By its last bytes a terminal is put in order.
        await Promise.race([ended(process.stream), sleep(GOODBYE)])
      }
      process.stream.destroy()
      return await this.#outcomeOf(open, first)
    } finally {
      client.end()
      leave()
      this.#open.delete(request.id)
      setTimeout(() => this.#endings.delete(request.id), REMEMBER).unref()
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

  /** The client went away without a word, or we do: what it began must not stay (facts, "Attach"). */
  async #leave({ worker, request }: Announced): Promise<void> {
    try {
      await this.#context.engine.run(ContainerId.parse(worker.id), entranceOf(request).leave)
    } catch (error) {
      this.#context.log.debug({ err: error, request: worker.request }, 'nothing left to take leave of')
    }
  }

  async #outcomeOf(
    { worker, request, process }: Open,
    first: 'client' | 'process' | 'coordinator',
  ): Promise<AttachOutcome> {
    if (first === 'coordinator') return { outcome: 'coordinator-left', worker }
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

async function firstToEnd(client: Duplex, process: Duplex): Promise<'client' | 'process'> {
  // Node keeps a server's socket half-open after an upgrade: a client that died is an "end", not a "close".
  return await Promise.race([
    ended(process).then(() => 'process' as const),
    ended(client).then(() => 'client' as const),
  ])
}

async function ended(stream: Duplex): Promise<void> {
  // It may have ended before anybody listened: a process that says nothing and ends at once.
  if (stream.readableEnded || stream.destroyed) return
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve())
  })
}
