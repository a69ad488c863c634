import { randomBytes } from 'node:crypto'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Done, timed } from './command.ts'
import { flagsLikeWorker } from './like-worker.ts'

const LAUNCHER = join(import.meta.dirname, '..', 'hal9000')
/** On what is not hal9000's own: the client, and the plain containers that it is held against. */
const LABEL = 'bench.hal9000'
/** Owner of the project: not root, and nobody in the images. */
const OWNER = 12_345

/**
 * What a run plays on: a deployment of its own, and a client container from the parent's image with Docker's own client
 * in it. Everything is removed when it is disposed of, whatever was reached.
 */
export class Stage {
  readonly name = `hal9000-bench-${randomBytes(3).toString('hex')}`
  readonly parent = `${this.name}-parent`
  readonly client = `${this.name}-client`
  readonly #signal: AbortSignal
  #root = ''
  #count = 0
  /** Flags that make a plain container equal to a worker's, and the image. */
  #like: { flags: string[]; image: string } = { flags: [], image: '' }

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  get project(): string {
    return join(this.#root, 'project')
  }

  async open(): Promise<void> {
    this.#root = await mkdtemp(join(tmpdir(), 'hal9000-bench-'))
    await mkdir(this.project)
    await chown(this.project, OWNER, OWNER)
    await this.hal(['up', '--projects', this.#root])
    await this.#openClient()
    const name = await this.worker(['sleep', 'infinity'])
    const worker = await this.docker([
      'ps',
      '-q',
      '--filter',
      `label=hal9000.instance=${this.name}`,
      '--filter',
      `label=hal9000.worker=${name}`,
    ])
    const inspected: unknown = JSON.parse((await this.docker(['inspect', worker.stdout.trim()])).stdout)
    this.#like = flagsLikeWorker(inspected)
    await this.coordinator(['stop', name])
  }

  /** The launcher, as a person calls it. */
  hal(args: readonly string[]): Promise<Done> {
    return this.#timed(LAUNCHER, args, {
      cwd: this.#root,
      env: { ...process.env, HAL9000_NAME: this.name },
      timeout: 1_800_000,
    })
  }

  /** Docker's client on the host. */
  docker(args: readonly string[]): Promise<Done> {
    return this.#timed('docker', args)
  }

  /** A command in the parent. */
  inParent(args: readonly string[]): Promise<Done> {
    return this.docker(['exec', this.parent, ...args])
  }

  /** Docker's client inside a container, started as `spawn` is: through docker exec. */
  inClient(args: readonly string[]): Promise<Done> {
    return this.docker(['exec', this.client, 'docker', ...args])
  }

  coordinator(args: readonly string[]): Promise<Done> {
    return this.inParent(['coordinator', ...args])
  }

  /** A name that no container had in this run. */
  fresh(): string {
    this.#count += 1
    return `b${this.#count}`
  }

  /** A detached worker that is ready; its name. */
  async worker(command: readonly string[]): Promise<string> {
    const name = this.fresh()
    await this.inParent(['spawn', '--detach', '--name', name, this.project, '--', ...command])
    return name
  }

  /** Words of `docker run` for a container that equals a worker's and runs `command`. */
  plainRun(name: string, options: readonly string[], command: readonly [string, ...string[]]): string[] {
    const [program, ...rest] = command
    const own = [`--name=${this.plainName(name)}`, `--label=${LABEL}=${this.name}`, `--entrypoint=${program}`]
    return ['run', ...options, ...own, ...this.#like.flags, this.#like.image, ...rest]
  }

  plainName(name: string): string {
    return `${this.name}-${name}`
  }

  /** Not timed: the end of a plain container. */
  async removePlain(name: string): Promise<void> {
    await this.docker(['rm', '--force', this.plainName(name)])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const problems: unknown[] = []
    const attempt = (work: () => Promise<unknown>): Promise<unknown> =>
      work().catch((error: unknown) => problems.push(error))
    const env = { ...process.env, HAL9000_NAME: this.name }
    await attempt(() => timed(LAUNCHER, ['down', '--stop-workers', '--volumes'], { env, timeout: 180_000 }))
    // What that left, where it failed, and the plain containers: a docker run that was cut off may still have made its own.
    for (const label of [`hal9000.instance=${this.name}`, `${LABEL}=${this.name}`]) {
      await attempt(() => removeAll(['ps', '-aq'], ['rm', '--force', '--volumes'], label))
      await attempt(() => removeAll(['network', 'ls', '-q'], ['network', 'rm'], label))
      await attempt(() => removeAll(['volume', 'ls', '-q'], ['volume', 'rm'], label))
    }
    if (this.#root !== '') await attempt(() => rm(this.#root, { recursive: true, force: true }))
    if (problems.length > 0) throw new AggregateError(problems, `${this.name} was not removed in order:`)
  }

  /** Any of the docker clients on PATH will do that runs in the image: a static one, or one whose libraries are there. */
  async #openClient(): Promise<void> {
    const image = (await this.docker(['inspect', '--format', '{{.Image}}', this.parent])).stdout.trim()
    const socket = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace('unix://', '')
    const found = (await timed('sh', ['-c', 'which -a docker | xargs -n 1 readlink -f'])).stdout.trim().split('\n')
    for (const binary of new Set(found)) {
      const mounts = [`--volume=${socket}:/var/run/docker.sock`, `--volume=${binary}:/usr/local/bin/docker:ro`]
      const own = [
        `--name=${this.client}`,
        `--label=${LABEL}=${this.name}`,
        '--network=none',
        '--init',
        '--entrypoint=sleep',
      ]
      await this.docker(['run', '--detach', ...own, ...mounts, image, 'infinity'])
      const runs = await this.inClient(['version']).then(
        () => true,
        () => false,
      )
      if (runs) return
      await this.docker(['rm', '--force', this.client])
    }
    throw new Error(
      `No docker client of this host runs in the parent's image: ${found.join(', ')}. Put a static one on PATH.`,
    )
  }

  #timed(...[command, args, options]: Parameters<typeof timed>): Promise<Done> {
    this.#signal.throwIfAborted()
    return timed(command, args, options)
  }
}

/** Removes by id what carries the label: names are random and the label is this run's alone. */
async function removeAll(list: readonly string[], remove: readonly string[], label: string): Promise<void> {
  const { stdout } = await timed('docker', [...list, '--filter', `label=${label}`])
  const ids = stdout.split('\n').filter((id) => id !== '')
  if (ids.length > 0) await timed('docker', [...remove, ...ids])
}
