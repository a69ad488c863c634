import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { Failure } from '../contract/failure.ts'
import { LABEL } from '../contract/labels.ts'
import { ContainerId } from '../contract/names.ts'
import type { NetworkKind } from '../contract/worker.ts'
import type { Engine, EngineHost } from '../docker/engine.ts'
import type { Environment } from '../environment.ts'
import { type Mount, networkOwner, parseMounts } from './mounts.ts'
import { probe } from './probe.ts'
import type { ProjectContext } from './resolve.ts'

/** Where the coordinator finds itself: its host, its network, and what it may see of the host's directories. */
export class Surroundings {
  readonly #engine: Engine
  readonly #environment: Environment
  #host: EngineHost | undefined

  constructor(engine: Engine, environment: Environment) {
    this.#engine = engine
    this.#environment = environment
  }

  /** The engine's facts; asked once, they do not change while it is connected. */
  async host(): Promise<EngineHost> {
    this.#host ??= await this.#engine.host()
    return this.#host
  }

  /** The network that workers join: the one of whoever owns the parent's own. */
  async network(): Promise<string> {
    return `container:${await this.#owner()}`
  }

  /** Whose that network is; `lost` when it is not the parent's own any more: the holder has gone, or was started again. */
  async networkKind(): Promise<NetworkKind> {
    const owner = await this.#engine.find(await this.#owner())
    if (owner !== undefined && owner.labels[LABEL.role] !== 'net') return 'parent'
    const outside = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal))
    return owner !== undefined && outside ? 'holder' : 'lost'
  }

  /** Fails with `not-ready` when there is no network that a worker could join. */
  async checkNetwork(): Promise<void> {
    const owner = ContainerId.parse(await this.#owner())
    if (typeof (await this.#engine.runningSince(owner)) === 'number') return
    throw new Failure('not-ready', 'The network holder does not run, so no worker can be started.', {
      hint: './hal9000 up',
    })
  }

  /** The container that this runs in. */
  async parent(): Promise<ContainerId> {
    const owner = await this.#engine.find(await this.#owner())
    const own = owner?.labels[LABEL.role] === 'net' ? `${this.#environment.HAL9000_NAME}-parent` : owner?.id
    const parent = own === undefined ? undefined : await this.#engine.find(own)
    if (parent === undefined) throw notFound()
    return parent.id
  }

  async project(): Promise<ProjectContext> {
    const {
      HAL9000_HOST_HOME: home,
      HAL9000_HOME,
      HAL9000_PROJECT_ROOTS,
      HAL9000_NAME,
      HAL9000_DOCKER_SOCKET,
    } = this.#environment
    return {
      engineDirectory: (await this.host()).dataDirectory,
      homes: home === '' ? [] : [home],
      roots: HAL9000_PROJECT_ROOTS,
      own: [HAL9000_HOME, HAL9000_DOCKER_SOCKET],
      mounts: () => this.#mounts(),
      probe: async (path) => await probe(this.#engine, HAL9000_NAME, await this.#ownImage(), path),
    }
  }

  async #mounts(): Promise<Mount[]> {
    return parseMounts(await readFile('/proc/self/mountinfo', 'utf8'))
  }

  async #owner(): Promise<string> {
    const owner = networkOwner(await this.#mounts())
    if (owner !== undefined) return owner
    throw new Failure('not-ready', 'The coordinator does not run in a container of this Docker engine.', {
      hint: './hal9000 up',
    })
  }

  /** Without a holder the owner of the network is the parent itself. */
  async #ownImage(): Promise<string> {
    const self = await this.#engine.find(await this.#owner())
    if (self === undefined) throw notFound()
    return self.image
  }
}

function notFound(): Failure {
  return new Failure('not-ready', 'The parent cannot find its own container on this engine.', { hint: './hal9000 up' })
}
