import { createHash } from 'node:crypto'
import { LABEL, LABEL_SCHEMA, type Role } from '../../contract/labels.ts'

/** Where the state volume is mounted in the parent, and in the short-lived container that runs `up`. */
export const STATE_DIRECTORY = '/var/lib/hal9000'

/** What `up` is asked to bring about. */
export type Wanted = {
  instance: string
  image: string
  /** The id of that image: a tag may have moved since the parent was made. */
  imageId: string
  /** The engine's socket on the host. */
  socket: string
  roots: readonly string[]
  home: string
  settings: Record<string, string>
  /** Normalised ports; undefined keeps what is published now. */
  publish: readonly string[] | undefined
}

/** A container of the deployment, in our words. compose.yaml says the same in Compose's. */
export type DeploymentSpec = {
  name: string
  image: string
  labels: Record<string, string>
  /** Network name, or `container:ID`. */
  network: string
  hostname?: string
  publish: readonly string[]
  entrypoint?: readonly string[]
  environment: Record<string, string>
  mounts: readonly { type: 'bind' | 'volume'; source: string; target: string; readOnly: boolean }[]
  /** What is mounted on the host below a read-only bind mount later appears in the container too. */
  followMounts: boolean
  capabilities: readonly string[]
  readOnlyRoot: boolean
  init: boolean
  /** Bytes. */
  memory?: number
  /** Restarts after a crash; 0 = never. */
  restarts: number
  healthcheck: boolean
}

/**
 * Least set of the parent. CHOWN, FOWNER, DAC_OVERRIDE: state directories of the redis user, and looking into project
 * roots whose owner has closed them. SETUID, SETGID, SETPCAP: the drop to the redis user. KILL: the supervisor signals it.
 */
const PARENT_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL', 'SETGID', 'SETPCAP', 'SETUID']

/**
 * The network holder. It never restarts by itself: a new start makes a new namespace in which nobody is, and only `up`
 * can then restart the parent after it.
 */
export function holderSpec(wanted: Wanted, publish: readonly string[]): DeploymentSpec {
  const { instance, image } = wanted
  return {
    name: `${instance}-net`,
    image,
    labels: labels(instance, 'net', digest({ hostname: instance, publish })),
    network: instance,
    hostname: instance,
    publish,
    entrypoint: ['sleep', 'infinity'],
    environment: {},
    mounts: [],
    followMounts: false,
    capabilities: [],
    readOnlyRoot: true,
    init: true,
    memory: 16 * 1024 * 1024,
    restarts: 0,
    healthcheck: false,
  }
}

/**
 * The parent, without its network: the holder's id is not known before it is there. It restarts after a crash, because
 * timeouts and clean ends of unattended workers depend on it. After a restart of the engine that attempt fails by
 * itself while the holder is down, and `up` starts both in order.
 */
export function parentSpec(wanted: Wanted): Omit<DeploymentSpec, 'network'> {
  const { instance, image, imageId, socket, roots, home, settings } = wanted
  const spec = {
    name: `${instance}-parent`,
    image,
    publish: [],
    environment: {
      ...settings,
      HAL9000_HOME: STATE_DIRECTORY,
      HAL9000_HOST_HOME: home,
      HAL9000_NAME: instance,
      HAL9000_PROJECT_ROOTS: JSON.stringify(roots),
      HAL9000_RESTARTS: '1',
    },
    mounts: [
      { type: 'bind' as const, source: socket, target: '/var/run/docker.sock', readOnly: false },
      { type: 'volume' as const, source: stateVolume(instance), target: STATE_DIRECTORY, readOnly: false },
      ...roots.map((root) => ({ type: 'bind' as const, source: root, target: root, readOnly: true })),
    ],
    followMounts: true,
    capabilities: PARENT_CAPABILITIES,
    readOnlyRoot: false,
    init: false,
    restarts: 5,
    healthcheck: true,
  }
  return { ...spec, labels: labels(instance, 'parent', digest({ ...spec, imageId })) }
}

export function stateVolume(instance: string): string {
  return `${instance}-state`
}

/** Labels of the network and the volume, too: only what carries them is ever removed. */
export function ownLabels(instance: string): Record<string, string> {
  return { [LABEL.managed]: 'true', [LABEL.instance]: instance, [LABEL.schema]: LABEL_SCHEMA }
}

function labels(instance: string, role: Role, spec: string): Record<string, string> {
  return { ...ownLabels(instance), [LABEL.role]: role, [LABEL.spec]: spec }
}

/** What a container was made from, short: equal for equal specs. */
function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}
