import { Failure } from '../contract/failure.ts'
import type { ContainerId, RequestId } from '../contract/names.ts'
import type { WorkerContainer } from '../domain/container.ts'
import { isAlive } from '../domain/lifecycle.ts'
import type { NetworkOwner } from '../domain/network.ts'
import { reconcile, render, type Seen, type Step } from '../domain/reconcile.ts'
import type { WorkerRecord } from '../domain/worker-record.ts'
import type { EngineEvent } from '../docker/engine.ts'
import { removeLog } from '../state/worker-log.ts'
import type { Retention } from '../state/records.ts'
import type { Context } from '../workers/context.ts'
import { perform } from './perform.ts'

/** A full look at what is there, at least this often; Docker's events only make it sooner. Milliseconds. */
const INTERVAL = 5_000
/** How soon a worker is looked at again that is known to have ended and is not seen so yet. Milliseconds. */
const SOON = 25
/** How soon a lost event stream is opened again. Milliseconds. */
const REOPEN = 500

/** Brings what is there to what should be, for as long as the coordinator lives. */
export class Reconciler {
  readonly #context: Context
  readonly #retention: Retention
  readonly #stopping = new AbortController()
  #absent: ReadonlySet<RequestId> = new Set()
  #idle: ReadonlySet<ContainerId> = new Set()
  /** Containers that the engine said have ended, until they are seen so. */
  #died = new Set<ContainerId>()
  /** Containers of which the engine said that a process was killed for want of memory, while they are there. */
  #limitHit: ReadonlySet<ContainerId> = new Set()
  /** Workers that steps are done for now. */
  readonly #working = new Map<RequestId, Promise<void>>()
  #pass: Promise<void> | undefined
  #again = false
  /** Ends the event stream that is open now; the next one is opened then. */
  #hearing = new AbortController()
  /** Why the engine could not be seen in the last pass; undefined while it can. */
  trouble: Failure | undefined
  /** Whether a pass has succeeded since the start. */
  seen = false

  constructor(context: Context, retention: Retention) {
    this.#context = context
    this.#retention = retention
  }

  /** Runs until `stop`. The first pass is over, well or badly, when this returns. */
  async start(): Promise<void> {
    await this.trigger()
    const timer = setInterval(() => void this.trigger(), INTERVAL)
    this.#stopping.signal.addEventListener('abort', () => clearInterval(timer))
    void this.#listen()
  }

  /** A pass now; one that is asked for while one runs follows it, and covers all who asked. */
  trigger(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.#pass ?? Promise.resolve()
    if (this.#pass !== undefined) {
      this.#again = true
      return this.#pass
    }
    this.#pass = this.#passes().finally(() => {
      this.#pass = undefined
    })
    return this.#pass
  }

  /** A pass at that time, if it comes before the next full look: a worker's time is up to the second. */
  wakeAt(time: number): void {
    const wait = time - this.#context.now()
    if (wait > 0 && wait < INTERVAL) setTimeout(() => void this.trigger(), wait).unref()
  }

  /** No new pass, and no new step; returns when those under way are done, which a stop in its grace may take long to be. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#pass
    await Promise.all(this.#working.values())
  }

  async #passes(): Promise<void> {
    do {
      this.#again = false
      await this.#onePass()
    } while (this.#again && !this.#stopping.signal.aborted)
  }

  async #onePass(): Promise<void> {
    const { log, now, records, home, stillHeld } = this.#context
    try {
      await stillHeld()
      const { steps, present } = await this.#plan()
      if (steps.length > 0) log.debug({ plan: render(steps) }, 'reconcile')
      if (this.#stopping.signal.aborted) return
      for (const [request, own] of perWorker(steps)) this.#begin(request, own)
      for (const name of await records.prune(this.#retention, now(), present)) await removeLog(home, name)
      this.#back()
    } catch (error) {
      this.#lost(Failure.from(error))
    }
  }

  /** What a pass would do now. Fails with `engine-unreachable`. */
  async plan(): Promise<Step[]> {
    return reconcile(await this.#see(), this.#context.now())
  }

  async #see(): Promise<Seen> {
    const { roster, records, desireKnown } = this.#context
    // Both of one moment, and before the list: whoever is taken up meanwhile was not ready before.
    const { resumed } = roster
    const busy = new Set(roster.underway.keys())
    const containers = await roster.containers()
    const all = records.all()
    // Until the queue is known any that is not ready may be a spawn's that goes on: its container may have ended for want of
    // an assignment only, and the order is begun again.
    if (!resumed) for (const request of notReady(containers, all)) busy.add(request)
    return {
      containers,
      records: all,
      busy,
      desireKnown: desireKnown(),
      absentBefore: this.#absent,
      idleBefore: this.#idle,
      owners: await this.#owners(containers),
      limitHit: this.#limitHit,
    }
  }

  async #plan(): Promise<{ steps: Step[]; present: ReadonlySet<string> }> {
    const hitBefore = this.#limitHit
    const seen = await this.#see()
    const { containers, records: all, busy, limitHit } = seen
    const steps = reconcile(seen, this.#context.now())
    // Of one that came in meanwhile the container may be younger than the list.
    const there = new Set(containers.map(({ id }) => id))
    this.#limitHit = new Set([...limitHit].filter((id) => there.has(id) || !hitBefore.has(id)))
    this.#lookAgainFor(containers, busy)
    for (const { deadline, end } of all) if (deadline !== null && end === null) this.wakeAt(deadline)
    const present = new Set(containers.map((container) => container.request))
    this.#absent = new Set(
      all.filter((record) => record.end === null && !present.has(record.request)).map((record) => record.request),
    )
    this.#idle = new Set(
      containers.filter(({ state, request }) => state === 'created' && !busy.has(request)).map(({ id }) => id),
    )
    return { steps, present }
  }

  /** Asks once for each network that running workers joined: mostly there is one. */
  async #owners(containers: readonly WorkerContainer[]): Promise<Map<ContainerId, NetworkOwner>> {
    const { engine } = this.#context
    const joined = containers.filter(({ state }) => isAlive(state)).map(({ networkOwner }) => networkOwner)
    const ids = [...new Set(joined)].filter((id) => id !== null)
    return new Map(await Promise.all(ids.map(async (id) => [id, await engine.runningSince(id)] as const)))
  }

  /**
   * Docker tells of an end a moment before its list shows it, and a spawn may still be answering for a worker that ended at
   * once: such workers are looked at again soon, not with the next full look.
   */
  #lookAgainFor(containers: readonly WorkerContainer[], busy: ReadonlySet<RequestId>): void {
    const unsettled = containers.filter(
      ({ id, state, request }) => this.#died.has(id) && (state === 'running' || busy.has(request)),
    )
    this.#died = new Set(unsettled.map((container) => container.id))
    if (unsettled.length > 0) setTimeout(() => void this.trigger(), SOON).unref()
  }

  /** Each worker's steps go on by themselves: a stop that takes its grace keeps nobody else waiting. */
  #begin(request: RequestId, steps: readonly Step[]): void {
    if (this.#working.has(request)) return
    this.#working.set(
      request,
      this.#performAll(steps).finally(() => this.#working.delete(request)),
    )
  }

  /** The steps of one worker, in order; what fails is tried again in the next pass. */
  async #performAll(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.#stopping.signal.aborted) return
      try {
        await perform(step, this.#context)
      } catch (error) {
        this.#context.log.warn(
          { err: error, step: render([step]).trim() },
          'a step failed; the next pass tries it again',
        )
        return
      }
    }
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#hearing = new AbortController()
      try {
        for await (const event of this.#context.engine.events(AbortSignal.any([signal, this.#hearing.signal]))) {
          if (event.action === 'start') this.#died.delete(event.id)
          if (!this.#isNews(event)) continue
          if (event.action === 'die') this.#died.add(event.id)
          void this.trigger()
        }
      } catch (error) {
        this.#context.log.debug({ err: error }, 'the event stream ended')
      }
      if (signal.aborted) return
      await new Promise((resolve) => setTimeout(resolve, REOPEN).unref())
      // What happened while nobody listened.
      void this.trigger()
    }
  }

  /** Whether something may be to be done after this. A worker short of memory may tell of it many times a second: once will do. */
  #isNews({ id, action }: EngineEvent): boolean {
    if (action !== 'oom') return action === 'die' || action === 'destroy'
    if (this.#limitHit.has(id)) return false
    this.#limitHit = new Set([...this.#limitHit, id])
    return true
  }

  #back(): void {
    if (this.trouble !== undefined) this.#event('engine-back', 'the Docker engine answers again')
    this.trouble = undefined
    this.seen = true
  }

  #lost(failure: Failure): void {
    if (this.trouble === undefined) {
      this.#context.log.error({ err: failure }, 'the engine cannot be seen')
      this.#event('engine-lost', failure.message)
    }
    this.trouble = failure
    // A stream can die without a word, when its engine does; then nothing would ever be heard on it again.
    this.#hearing.abort()
  }

  #event(kind: 'engine-back' | 'engine-lost', message: string): void {
    this.#context.note({ kind, worker: null, project: null, request: null, message })
  }
}

function notReady(containers: readonly WorkerContainer[], records: readonly WorkerRecord[]): RequestId[] {
  const settled = new Set(
    records.filter(({ readyAt, end }) => readyAt !== null || end !== null).map(({ request }) => request),
  )
  return [...containers, ...records].map(({ request }) => request).filter((request) => !settled.has(request))
}

function perWorker(steps: readonly Step[]): Map<RequestId, Step[]> {
  return Map.groupBy(steps, (step) => (step.do === 'record-vanished' ? step.record.request : step.container.request))
}
