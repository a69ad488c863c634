import { Failure } from '../contract/failure.ts'
import { Overtaken, SourceMissing, type Deployment } from '../docker/deployment.ts'
import { perform } from './perform.ts'
import { planUp, type Op, type UpOptions } from '../domain/deployment/plan.ts'
import type { Wanted } from '../domain/deployment/specs.ts'

/** How long a parent may take until it is ready to spawn. Milliseconds. */
const READY_WITHIN = 30_000
const READY_POLL = 100
/** When a parent that is not ready is looked at more closely. Milliseconds. */
const LOOK_AFTER = 1_000
/** Ends with 0 in a parent whose socket of the engine was replaced on the host. */
const STALE = ['sh', '-c', '[ "$(stat -c %h /var/run/docker.sock)" = 0 ]']
/** Another `up` at the same time is waited for this often, a second each. */
const PATIENCE = 20

/** What `up` needs of the world besides the engine. */
export type World = {
  say(line: string): void
  now(): number
  /** Milliseconds. */
  sleep(duration: number): Promise<void>
}

/**
 * Brings the deployment about and waits until it is ready to spawn. Returns the project roots that are mounted now:
 * one that has vanished from the host is dropped with a notice. Silent when nothing is to be done.
 */
export async function up(
  wanted: Wanted,
  options: UpOptions,
  deployment: Deployment,
  world: World,
): Promise<readonly string[]> {
  const began = world.now()
  const done = await converge(wanted, options, deployment, world)
  await ready(deployment, wanted.instance, world)
  if (done.changed) world.say(`ready in ${seconds(world.now() - began)}`)
  return done.roots
}

async function converge(
  wanted: Wanted,
  options: UpOptions,
  deployment: Deployment,
  world: World,
): Promise<{ roots: readonly string[]; changed: boolean }> {
  let roots = wanted.roots
  let changed = false
  for (let overtaken = 0; overtaken < PATIENCE;) {
    try {
      const plan = planUp({ ...wanted, roots }, await deployment.see(), {
        ...options,
        restart: options.restart && !changed,
      })
      for (const op of plan) {
        await performAloud(op, deployment, world)
        changed = true
      }
      return { roots, changed }
    } catch (error) {
      if (error instanceof SourceMissing && roots.includes(error.path)) {
        const { path } = error
        world.say(
          `the project root ${path} is gone and no longer mounted; when it is back: ./hal9000 up --projects ${path}`,
        )
        roots = roots.filter((root) => root !== path)
      } else if (error instanceof Overtaken) {
        overtaken += 1
        await world.sleep(1000)
      } else {
        throw error
      }
    }
  }
  throw new Failure('wrong-state', `Another ./hal9000 up of "${wanted.instance}" is at work and does not finish.`, {
    hint: './hal9000 up',
  })
}

/** Performs an op and says in one line what it was and how long it took. */
export async function performAloud(op: Op, deployment: Deployment, world: World): Promise<void> {
  const began = world.now()
  await perform(op, deployment)
  world.say(`${subject(op).padEnd(15)} ${deed(op)} in ${seconds(world.now() - began)}`)
}

function subject(op: Op): string {
  switch (op.do) {
    case 'create-network':
    case 'remove-network':
      return 'network'
    case 'create-volume':
    case 'remove-volume':
      return 'state volume'
    case 'create-holder':
      return 'network holder'
    case 'put-parent':
      return 'parent'
    case 'stop-workers':
    case 'remove-workers':
      return 'workers'
    case 'start':
    case 'unpause':
    case 'restart':
    case 'stop':
    case 'remove':
      return { net: 'network holder', parent: 'parent', leftover: 'leftover' }[op.role]
    default:
      return op satisfies never
  }
}

function deed(op: Op): string {
  switch (op.do) {
    case 'put-parent':
      return op.old === undefined ? 'created' : `replaced (${op.because})`
    case 'restart':
      return `restarted (${op.because})`
    case 'create-network':
    case 'create-volume':
    case 'create-holder':
      return 'created'
    case 'start':
      return 'started'
    case 'unpause':
      return 'unpaused'
    case 'stop':
    case 'stop-workers':
      return 'stopped'
    case 'remove':
    case 'remove-workers':
    case 'remove-network':
    case 'remove-volume':
      return 'removed'
    default:
      return op satisfies never
  }
}

/** Waits for the control API; `not-ready` with the end of the parent's log when it does not come. */
async function ready(deployment: Deployment, instance: string, world: World): Promise<void> {
  const began = world.now()
  const deadline = began + READY_WITHIN
  let asked = false
  let looked = false
  while (true) {
    const { parent } = await deployment.see()
    if (parent === undefined || parent.state === 'exited' || parent.state === 'dead') {
      throw new Failure(
        'not-ready',
        `The parent ${instance}-parent ended while it started.\n${parent ? await deployment.logTail(parent.id, 20) : ''}`,
        {
          hint: './hal9000 logs',
        },
      )
    }
    if ((await deployment.run(parent.id, ['coordinator', 'ready'])) === 0) return
    if (!looked && world.now() > began + LOOK_AFTER) {
      looked = true
      if ((await deployment.run(parent.id, STALE)) !== 0) continue
      const op = {
        do: 'restart',
        role: 'parent',
        id: parent.id,
        because: 'the Docker engine has a new socket',
      } as const
      await performAloud(op, deployment, world)
      continue
    }
    // One that was stopped with `coordinator daemon stop` is kept down until it is asked for, and it is.
    if (!asked) await deployment.run(parent.id, ['coordinator', 'daemon', 'start'])
    asked = true
    if (world.now() > deadline) {
      throw new Failure(
        'not-ready',
        `The coordinator is not ready after ${READY_WITHIN / 1000} s. The end of the parent's log:\n${await deployment.logTail(parent.id, 20)}`,
        { hint: './hal9000 logs' },
      )
    }
    await world.sleep(READY_POLL)
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
