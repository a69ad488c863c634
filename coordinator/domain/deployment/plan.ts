import { Failure } from '../../contract/failure.ts'
import { holderSpec, parentSpec, type DeploymentSpec, type Wanted } from './specs.ts'

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** What of one deployment there is on the engine. Ids are full container ids; times are milliseconds since the epoch. */
export type Seen = {
  network: boolean
  volume: boolean
  holder:
    | { id: string; state: ContainerState; startedAt: number; hostname: string; publish: readonly string[] }
    | undefined
  parent:
    | {
        id: string
        state: ContainerState
        startedAt: number
        imageId: string
        spec: string
        network: string
        roots: string
      }
    | undefined
  /** New parents that an interrupted `up` left behind. */
  leftovers: readonly string[]
  /** Running containers of the workers' kind, and of them those that a person started. */
  others: readonly string[]
  workers: number
  /** Containers of theirs that have ended, and were kept or not removed yet. */
  ended: readonly string[]
}

type OpKind =
  | { do: 'create-network' | 'create-volume' | 'remove-network' | 'remove-volume' }
  | { do: 'create-holder'; spec: DeploymentSpec }
  /** Made under another name, then put in the place of `old`: until that moment nothing is lost if it fails. */
  | { do: 'put-parent'; spec: Omit<DeploymentSpec, 'network'>; old: string | undefined }
  | { do: 'start' | 'unpause' | 'restart' | 'stop' | 'remove'; role: 'net' | 'parent' | 'leftover'; id: string }
  /** Asks the coordinator if it runs (it writes the exit records), then stops what is left. */
  | { do: 'stop-workers'; parent: string | undefined; ids: readonly string[] }
  | { do: 'remove-workers'; ids: readonly string[] }

/** One step; `because` is for people. */
export type Op = OpKind & { because: string }

export type UpOptions = {
  /** Restart a parent that is as wanted. */
  restart: boolean
  /** Accept that running workers lose their network. */
  cutWorkers: boolean
}

/** What brings `seen` to `wanted`; empty when nothing is to be done. Fails with `refused-by-policy` where workers would be cut. */
export function planUp(wanted: Wanted, seen: Seen, options: UpOptions): Op[] {
  const holder = planHolder(wanted, seen, options)
  return [
    ...seen.leftovers.map((id): Op => ({
      do: 'remove',
      role: 'leftover',
      id,
      because: 'an earlier up was interrupted',
    })),
    ...(seen.network ? [] : [{ do: 'create-network', because: 'missing' } satisfies Op]),
    ...(seen.volume ? [] : [{ do: 'create-volume', because: 'missing' } satisfies Op]),
    ...holder,
    ...planParent(wanted, seen, holder, options.restart),
  ]
}

export type DownOptions = {
  workers: 'ask' | 'keep' | 'stop'
  volumes: boolean
}

/** What removes a deployment. Fails with `wrong-state` while workers run and nobody said what becomes of them. */
export function planDown(seen: Seen, options: DownOptions): Op[] {
  const because = 'down'
  const parent: Op[] =
    seen.parent === undefined
      ? []
      : [
          { do: 'stop', role: 'parent', id: seen.parent.id, because },
          { do: 'remove', role: 'parent', id: seen.parent.id, because },
        ]
  const leftovers = seen.leftovers.map((id): Op => ({
    do: 'remove',
    role: 'leftover',
    id,
    because: 'an earlier up was interrupted',
  }))
  if (options.workers === 'keep') return [...leftovers, ...parent]
  if (options.workers === 'ask' && seen.workers > 0) {
    throw new Failure(
      'wrong-state',
      `${seen.workers === 1 ? 'A worker is' : `${seen.workers} workers are`} still running.`,
      {
        hint: './hal9000 down --stop-workers, or, to leave them running: ./hal9000 down --keep',
      },
    )
  }
  // With the state goes all that knows of them. Those that are stopped just now may be gone by then; all the better.
  const bodies = options.volumes ? [...seen.others, ...seen.ended] : []
  const running = seen.parent?.state === 'running' ? seen.parent.id : undefined
  return [
    ...leftovers,
    ...(seen.others.length > 0
      ? [{ do: 'stop-workers', parent: running, ids: seen.others, because } satisfies Op]
      : []),
    ...parent,
    ...(bodies.length > 0 ? [{ do: 'remove-workers', ids: bodies, because: 'down --volumes' } satisfies Op] : []),
    ...(seen.holder === undefined ? [] : [{ do: 'remove', role: 'net', id: seen.holder.id, because } satisfies Op]),
    ...(seen.network ? [{ do: 'remove-network', because } satisfies Op] : []),
    ...(seen.volume && options.volumes ? [{ do: 'remove-volume', because: 'down --volumes' } satisfies Op] : []),
  ]
}

/** A plan as text, one line an op. */
export function render(plan: readonly Op[]): string {
  return plan.map((op) => `${words(op)}: ${op.because}\n`).join('')
}

function words(op: Op): string {
  switch (op.do) {
    case 'create-network':
    case 'create-volume':
    case 'create-holder':
    case 'remove-network':
    case 'remove-volume':
      return op.do.replace('-', ' ')
    case 'put-parent':
      return op.old === undefined ? 'create parent' : `replace parent ${op.old.slice(0, 4)}`
    case 'stop-workers':
      return `stop workers ${op.ids.map((id) => id.slice(0, 4)).join(' ')}${op.parent === undefined ? ' without a coordinator' : ''}`
    case 'remove-workers':
      return `remove workers ${op.ids.map((id) => id.slice(0, 4)).join(' ')}`
    case 'start':
    case 'unpause':
    case 'restart':
    case 'stop':
    case 'remove':
      return `${op.do} ${op.role} ${op.id.slice(0, 4)}`
    default:
      return op satisfies never
  }
}

/** A newer image is no reason to touch the holder: all it does is to sleep. */
function planHolder(wanted: Wanted, seen: Seen, options: UpOptions): Op[] {
  const { holder } = seen
  const spec = holderSpec(wanted, wanted.publish ?? holder?.publish ?? [])
  if (holder === undefined) return [{ do: 'create-holder', spec, because: 'missing' }]
  const because = holderDiffers(spec, holder, seen.network)
  if (because !== undefined) {
    if (seen.workers > 0 && !options.cutWorkers) throw wouldCut(seen.workers, because)
    return [
      { do: 'remove', role: 'net', id: holder.id, because },
      { do: 'create-holder', spec, because },
    ]
  }
  if (holder.state === 'running') return []
  return [{ do: holder.state === 'paused' ? 'unpause' : 'start', role: 'net', id: holder.id, because: holder.state }]
}

function holderDiffers(
  spec: DeploymentSpec,
  holder: NonNullable<Seen['holder']>,
  network: boolean,
): string | undefined {
  if (holder.state === 'dead' || holder.state === 'removing') return holder.state
  if (!network) return 'its network is gone'
  if (holder.hostname !== spec.hostname) return `hostname ${holder.hostname} becomes ${spec.hostname}`
  if (holder.publish.join() === spec.publish.join()) return undefined
  return `published ports ${holder.publish.join(' ') || 'none'} become ${spec.publish.join(' ') || 'none'}`
}

function wouldCut(workers: number, because: string): Failure {
  return new Failure(
    'refused-by-policy',
    `The network holder would have to be made anew (${because}), which cuts ${workers === 1 ? 'the running worker' : `${workers} running workers`} off the network.`,
    { hint: './hal9000 up --cut-workers, or stop them first: ./hal9000 stop-all' },
  )
}

function planParent(wanted: Wanted, seen: Seen, holder: readonly Op[], restart: boolean): Op[] {
  const { parent } = seen
  const spec = parentSpec(wanted)
  if (parent === undefined) return [{ do: 'put-parent', spec, old: undefined, because: 'missing' }]
  const because = parentDiffers(wanted, spec, seen, holder)
  if (because !== undefined) return [{ do: 'put-parent', spec, old: parent.id, because }]
  const op = (what: 'start' | 'unpause' | 'restart', reason: string): Op[] => [
    { do: what, role: 'parent', id: parent.id, because: reason },
  ]
  if (parent.state === 'paused') return op('unpause', 'paused')
  if (parent.state !== 'running' && parent.state !== 'restarting') return op('start', parent.state)
  // A namespace that was left and made anew: the parent is alive in the old one, with nothing but `lo`.
  const started = holder.some((step) => step.do === 'start') || parent.startedAt < (seen.holder?.startedAt ?? 0)
  if (started) return op('restart', 'its network holder was started after it')
  return restart ? op('restart', 'asked for') : []
}

function parentDiffers(
  wanted: Wanted,
  spec: Omit<DeploymentSpec, 'network'>,
  seen: Seen,
  holder: readonly Op[],
): string | undefined {
  const { parent } = seen
  if (parent === undefined || parent.state === 'dead' || parent.state === 'removing') return parent?.state
  // Its start failed, or the `up` that made it was interrupted: what it was made for may not hold.
  if (parent.state === 'created') return 'it was never started'
  if (holder.some((op) => op.do === 'create-holder')) return 'its network holder is made anew'
  if (parent.network !== `container:${seen.holder?.id}`) return 'it is not joined to the network holder'
  if (parent.imageId !== wanted.imageId) return 'the image is another'
  if (parent.roots !== spec.environment['HAL9000_PROJECT_ROOTS']) return 'the project roots are others'
  return parent.spec === spec.labels['hal9000.spec'] ? undefined : 'the settings are others'
}
