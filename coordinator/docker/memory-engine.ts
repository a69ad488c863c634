import { randomBytes } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { Failure } from '../contract/failure.ts'
import { LABEL } from '../contract/labels.ts'
import { ContainerId, type InstanceName } from '../contract/names.ts'
import type { PullProgress } from '../contract/pull.ts'
import type { ContainerSpec } from '../domain/container-spec.ts'
import type { Container } from '../domain/container.ts'
import type { Ended } from '../domain/exit.ts'
import { imageMissing, pullFailed } from '../domain/image-reference.ts'
import { orAborted } from '../domain/or-aborted.ts'
import { parseSaid, type Said } from '../domain/worker-says.ts'
import type { Engine, EngineEvent, Image, LogEntry, LogOptions, Usage } from './engine.ts'

type Kept = Container & {
  log: LogEntry[]
  ended: Ended | undefined
  startedAt: string | null
  changed: Set<() => void>
}

/**
 * An engine that lives in memory and works: it passes the contract tests that the real one passes, and serves simulations.
 * Its workers understand three commands: `exit N`, `echo TEXT`, and `sleep …`, which runs until it is stopped.
 */
export class MemoryEngine implements Engine {
  readonly images: Map<string, Image>
  /** What can be pulled; some of it may be long in coming. */
  readonly registry = new Map<string, Image | Promise<Image>>()
  readonly #instance: InstanceName
  readonly #containers: Map<string, Kept>
  readonly #listeners: Set<(container: Kept, action: string) => void>
  readonly #now: () => number
  /** When set, every call fails with it: the engine is away. */
  away: Failure | undefined

  /** `beside`: an engine whose images and containers this one shows to another instance. */
  constructor(instance: InstanceName, now: () => number = Date.now, beside?: MemoryEngine) {
    this.#instance = instance
    this.#now = now
    this.images = beside?.images ?? new Map()
    this.#containers = beside ? beside.#containers : new Map()
    this.#listeners = beside ? beside.#listeners : new Set()
  }

  async host(): ReturnType<Engine['host']> {
    this.#reach()
    const memory = 8 * 2 ** 30
    return { version: 'memory', apiVersion: '1.41', cpus: 4, memory, dataDirectory: '/var/lib/docker', cgroup: 'v2' }
  }

  async image(reference: string): Promise<Image | undefined> {
    this.#reach()
    return this.images.get(reference)
  }

  async pull(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<void> {
    this.#reach()
    const kept = this.registry.get(reference)
    if (kept === undefined) throw pullFailed(reference, 'manifest unknown')
    onProgress({ layers: 1, done: 0, bytes: 0, total: 1 })
    this.images.set(reference, await orAborted(Promise.resolve(kept), signal))
    onProgress({ layers: 1, done: 1, bytes: 1, total: 1 })
  }

  async runningSince(id: ContainerId): ReturnType<Engine['runningSince']> {
    this.#reach()
    const container = this.#containers.get(id)
    if (container === undefined) return 'gone'
    return container.state === 'running' ? Date.parse(container.startedAt ?? '') : 'not-running'
  }

  async containers(): Promise<Container[]> {
    this.#reach()
    return [...this.#containers.values()].filter((container) => this.#isOwn(container)).map(shown)
  }

  async find(nameOrId: string): Promise<Container | undefined> {
    this.#reach()
    const found = [...this.#containers.values()].find(
      (container) => container.id === nameOrId || container.name === nameOrId,
    )
    return found && shown(found)
  }

  async create(spec: ContainerSpec): Promise<ContainerId | 'taken'> {
    this.#reach()
    // Nothing is awaited between the look and the taking.
    if ([...this.#containers.values()].some((container) => container.name === spec.name)) return 'taken'
    if (!this.images.has(spec.image)) throw imageMissing(spec.image)
    const id = ContainerId.parse(randomBytes(32).toString('hex'))
    const { name, image, labels, network } = spec
    const networkOwner = network.startsWith('container:') ? ContainerId.parse(network.slice(10)) : null
    this.#containers.set(id, {
      id,
      name,
      image,
      labels,
      state: 'created',
      createdAt: this.#now(),
      networkOwner,
      log: [],
      ended: undefined,
      startedAt: null,
      changed: new Set(),
    })
    return id
  }

  async connect(id: ContainerId): ReturnType<Engine['connect']> {
    const container = this.#get(id)
    return {
      assign: async (assignment) => this.#assigned(container, assignment),
      heard: async () => firstSaid(container),
      close: () => {
        if (container.state === 'running' && firstSaid(container) === undefined)
          this.#refuse(container, 'never-assigned', 125)
      },
    }
  }

  async start(id: ContainerId): Promise<void> {
    const container = this.#get(id)
    if (container.state !== 'created') return
    container.state = 'running'
    container.startedAt = this.#time()
  }

  async stop(id: ContainerId, _grace: number): Promise<void> {
    this.#reach()
    const container = this.#containers.get(id)
    if (container?.state === 'running' || container?.state === 'paused') this.#end(container, 143, 'TERM')
  }

  async remove(id: ContainerId): Promise<void> {
    this.#reach()
    const container = this.#containers.get(id)
    if (container === undefined) return
    if (container.state === 'running' || container.state === 'paused')
      throw new Failure('worker-failed', 'A running container is not removed.')
    this.#containers.delete(id)
    this.#tell(container, 'destroy')
  }

  async ended(id: ContainerId): Promise<Ended | undefined> {
    this.#reach()
    return this.#containers.get(id)?.ended
  }

  async usage(id: ContainerId): Promise<Usage | undefined> {
    this.#reach()
    const state = this.#containers.get(id)?.state
    return state === 'running' || state === 'paused' ? { cores: 0, memory: 2 ** 20, pids: 1 } : undefined
  }

  async logs(id: ContainerId, options: LogOptions): ReturnType<Engine['logs']> {
    this.#reach()
    const container = this.#containers.get(id)
    return container && this.#entries(container, options)
  }

  async *#entries(container: Kept, options: LogOptions): AsyncGenerator<LogEntry> {
    const { signal } = options
    let next = options.tail === undefined ? 0 : Math.max(0, container.log.length - options.tail)
    for (;;) {
      const entry = container.log[next]
      if (entry !== undefined) {
        next += 1
        if (options.since === undefined || Date.parse(entry.at) >= options.since) yield entry
        continue
      }
      if (!options.follow || container.ended !== undefined || signal?.aborted === true) return
      await new Promise<void>((resolve) => {
        container.changed.add(resolve)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  async terminal(id: ContainerId): ReturnType<Engine['terminal']> {
    this.#get(id)
    return { stream: new PassThrough(), resize: async () => {}, exitCode: async () => 0 }
  }

  async pipes(id: ContainerId): ReturnType<Engine['pipes']> {
    this.#get(id)
    return { stream: new PassThrough(), exitCode: async () => 0 }
  }

  async run(id: ContainerId): Promise<number> {
    this.#get(id)
    return 0
  }

  async *events(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const fresh: EngineEvent[] = []
    let wake = Promise.withResolvers<void>()
    const listener = (container: Kept, action: string): void => {
      if (this.#isOwn(container)) fresh.push({ id: container.id, action })
      wake.resolve()
    }
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => wake.resolve(), { once: true })
    try {
      while (!signal.aborted) {
        const event = fresh.shift()
        if (event !== undefined) yield event
        else await wake.promise
        if (fresh.length === 0) wake = Promise.withResolvers()
      }
    } finally {
      this.#listeners.delete(listener)
    }
  }

  #assigned(container: Kept, assignment: Buffer): void {
    if (container.state !== 'running') return
    const entries = assignment.toString().split('\0')
    const words = entries.filter((entry) => entry.startsWith('arg=')).map((entry) => entry.slice(4))
    if (!entries.includes('end=')) return this.#refuse(container, 'never-assigned', 125)
    const [command = '', argument = ''] = words
    if (!['exit', 'echo', 'sleep'].includes(command)) return this.#refuse(container, 'command-not-found', 127)
    this.#say(container, 'stderr', '\x1ehal9000 ready\n')
    if (command === 'echo') this.#say(container, 'stdout', `${argument}\n`)
    if (command !== 'sleep') this.#end(container, command === 'exit' ? Number(argument) : 0, null)
  }

  #refuse(container: Kept, word: string, exitCode: number): void {
    this.#say(container, 'stderr', `\x1ehal9000 refused ${word} in memory\n`)
    this.#finish(container, exitCode)
  }

  #end(container: Kept, exitCode: number, signal: string | null): void {
    this.#say(
      container,
      'stderr',
      `\x1ehal9000 ended exit=${exitCode} signal=${signal ?? '-'} oom=0 pids=0 by=${signal ?? '-'}\n`,
    )
    this.#finish(container, exitCode)
  }

  #finish(container: Kept, exitCode: number): void {
    container.state = 'exited'
    container.ended = { exitCode, oomKilled: false, startedAt: container.startedAt, endedAt: this.#time(), error: '' }
    this.#changed(container)
    this.#tell(container, 'die')
  }

  #say(container: Kept, output: 'stdout' | 'stderr', text: string): void {
    container.log.push({ at: this.#time(), output, data: Buffer.from(text) })
    this.#changed(container)
  }

  #changed(container: Kept): void {
    for (const wake of container.changed) wake()
    container.changed.clear()
  }

  #tell(container: Kept, action: string): void {
    for (const listener of this.#listeners) listener(container, action)
  }

  #isOwn({ labels }: Kept): boolean {
    return labels[LABEL.managed] === 'true' && labels[LABEL.instance] === this.#instance
  }

  #get(id: ContainerId): Kept {
    this.#reach()
    const container = this.#containers.get(id)
    if (container === undefined) throw new Failure('worker-failed', `There is no container ${id}.`)
    return container
  }

  #reach(): void {
    if (this.away !== undefined) throw this.away
  }

  #time(): string {
    return new Date(this.#now()).toISOString()
  }
}

function shown({ id, name, image, state, labels, createdAt, networkOwner }: Kept): Container {
  return { id, name, image, state, labels, createdAt, networkOwner }
}

function firstSaid(container: Kept): Said | undefined {
  const entry = container.log.find(({ output, data }) => output === 'stderr' && data[0] === 0x1e)
  return entry && parseSaid(entry.data.toString().trim().replace('\x1ehal9000 ', ''))
}
