import { randomBytes } from 'node:crypto'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CoordinatorEvent } from '../../coordinator/contract/event.ts'
import type { SpawnResult, Worker, WorkerDetail } from '../../coordinator/contract/worker.ts'
import { Background } from './background.ts'
import { type Output, run, type RunOptions } from './run.ts'

export const LAUNCHER = join(import.meta.dirname, '..', '..', 'hal9000')

/** Owner of the test projects: not root, and nobody in the images. */
export const OWNER = 12_345

/** A deployment of its own for one test file, made and removed by the launcher as a person would. */
export class Instance {
  readonly name: string
  /** Directory that is its project root. */
  readonly root: string
  /** What the launcher is told, and whoever stands in for it. */
  readonly env: Record<string, string>

  readonly #engine: Record<string, string>

  private constructor(name: string, root: string, env: Record<string, string>, socket: string | undefined) {
    this.name = name
    this.root = root
    this.env = { ...env, HAL9000_NAME: name, HOME: root }
    this.#engine = socket === undefined ? {} : { DOCKER_HOST: `unix://${socket}` }
  }

  /** A name and a project root, and nothing on the engine yet. `socket`: of its engine, where that is not the host's. */
  static async planned(env: Record<string, string> = {}, socket?: string): Promise<Instance> {
    const name = `hal9000-test-${randomBytes(3).toString('hex')}`
    return new Instance(name, await mkdtemp(join(tmpdir(), 'hal9000-test-')), env, socket)
  }

  static async up(env: Record<string, string> = {}, socket?: string): Promise<Instance> {
    const instance = await Instance.planned(env, socket)
    const up = await instance.hal(['up', '--projects', instance.root], { timeout: 120_000 })
    if (up.code === 0) return instance
    await instance.down()
    throw new Error(`up failed with ${up.code}:\n${up.stderr}`)
  }

  get parent(): string {
    return `${this.name}-parent`
  }

  /** The launcher, as from a person's shell in the project root (or `cwd`). */
  hal(args: readonly string[], options: RunOptions = {}): Promise<Output> {
    return run(LAUNCHER, args, { cwd: this.root, ...options, env: { ...this.env, ...options.env } })
  }

  /** The launcher, left running. */
  background(args: readonly string[]): Background {
    return new Background(LAUNCHER, args, { cwd: this.root, env: this.env })
  }

  /** A command in the parent, by the raw docker exec of seed 002; `env` and `input` are the command's own. */
  exec(args: readonly string[], options: RunOptions = {}): Promise<Output> {
    const env = Object.keys(options.env ?? {}).flatMap((name) => ['-e', name])
    const stdin = options.input === undefined ? [] : ['-i']
    return this.docker(['exec', ...stdin, ...env, this.parent, ...args], options)
  }

  /** The docker client, on the engine that this instance is on. */
  docker(words: readonly string[], options: RunOptions = {}): Promise<Output> {
    return run('docker', words, { ...options, env: { ...this.#engine, ...options.env } })
  }

  /** The same, where it must succeed; its stdout without the final newline. */
  async ask(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(words)
    if (code !== 0) throw new Error(`docker ${words.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
    return stdout.trimEnd()
  }

  /** `coordinator …` with --json, parsed. */
  async json<T>(args: readonly string[]): Promise<T> {
    const output = await this.exec(['coordinator', ...args, '--json'])
    return JSON.parse(output.stdout) as T
  }

  /** `spawn --detach --json …`, which must succeed; its answer. */
  async spawn(args: readonly string[], options: RunOptions = {}): Promise<SpawnResult> {
    const output = await this.exec(['spawn', '--detach', '--json', ...args], options)
    if (output.code !== 0) throw new Error(`spawn ${args.join(' ')} ended with ${output.code}: ${output.stdout}`)
    return JSON.parse(output.stdout) as SpawnResult
  }

  /** Waits for a worker's end; what is known of it then. */
  async ended(ref: string): Promise<WorkerDetail> {
    return await this.json<WorkerDetail>(['wait', ref])
  }

  /** Ends every worker, now. */
  async stopAll(): Promise<void> {
    const stopped = await this.exec(['coordinator', 'stop-all', '--yes', '--time', '0'])
    if (stopped.code !== 0) throw new Error(`stop-all ended with ${stopped.code}:\n${stopped.stderr}`)
  }

  async list(...args: string[]): Promise<Worker[]> {
    return (await this.json<{ workers: Worker[] }>(['list', ...args])).workers
  }

  /** What happened, oldest first; of one request, or of all. */
  async events(request?: string): Promise<CoordinatorEvent[]> {
    const { stdout } = await this.exec(['coordinator', 'events', '--tail', '10000', '--json'])
    const events = stdout.split('\n').filter((line) => line !== '')
    const parsed = events.map((line) => JSON.parse(line) as CoordinatorEvent)
    return request === undefined ? parsed : parsed.filter((event) => event.request === request)
  }

  /** A fresh project directory that belongs to `owner`. */
  async project(name = `p-${randomBytes(3).toString('hex')}`, owner = OWNER): Promise<string> {
    const path = join(this.root, name)
    await mkdir(path, { recursive: true })
    await chown(path, owner, owner)
    return path
  }

  /** Names of all containers of this instance. */
  async containers(): Promise<string[]> {
    const label = `label=hal9000.instance=${this.name}`
    const names = await this.ask('ps', '-a', '--filter', label, '--format', '{{.Names}}')
    return names.split('\n').filter((name) => name !== '')
  }

  /** Names of its workers' containers. */
  async workerContainers(): Promise<string[]> {
    return (await this.containers()).filter((name) => ![this.parent, `${this.name}-net`].includes(name))
  }

  async down(): Promise<void> {
    const down = await this.hal(['down', '--stop-workers', '--volumes'], { timeout: 120_000 })
    if (down.code !== 0) throw new Error(`down failed with ${down.code}:\n${down.stderr}`)
    await rm(this.root, { recursive: true, force: true })
  }
}
