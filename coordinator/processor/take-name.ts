import { Failure } from '../contract/failure.ts'
import { LABEL } from '../contract/labels.ts'
import type { ContainerId } from '../contract/names.ts'
import { type Resolution, resolveConflict, YOUNG } from '../domain/conflict.ts'
import type { ContainerSpec } from '../domain/container-spec.ts'
import { asWorker, type Container, type WorkerContainer } from '../domain/container.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { referenceTo } from '../domain/worker-ref.ts'
import type { Context } from '../workers/context.ts'
import { discard, finish } from '../workers/finish.ts'
import { stopContainer } from '../workers/stop.ts'

/** What taking the name came to. */
export type Taken =
  | { taken: 'created'; id: ContainerId; notices: string[] }
  | { taken: 'adopted'; container: Container }
  | { taken: 'ended'; container: Container }

/** Seconds between TERM and KILL of a worker that is replaced. */
const REPLACE_GRACE = 10
/**
 * How long a name is waited for: a container may take its time to be removed from a busy engine, or to be started by another
 * spawn. Not shorter than the youth of a created container (domain/conflict.ts): what a dead spawn left is outlived. Milliseconds.
 */
const PATIENCE = YOUNG + 1_000
const STEP = 50

/**
 * Takes the order's name by creating its container: Docker's 409 is the only lock. Whoever comes second acts by the conflict
 * table, on the holder's id. Fails with `name-in-use`, `image-missing`, `engine-unreachable`.
 */
export async function takeName(order: SpawnOrder, spec: ContainerSpec, context: Context): Promise<Taken> {
  const notices = new Set<string>()
  const deadline = context.now() + PATIENCE
  for (;;) {
    await context.stillHeld()
    const created = await context.engine.create(spec)
    if (created !== 'taken') return { taken: 'created', id: created, notices: [...notices] }
    const holder = await context.engine.find(spec.name)
    // Taken and not there: its creation or its removal is not over.
    const resolution = holder ? resolve(holder, order, context) : undefined
    if (holder === undefined || resolution === undefined || resolution.do === 'wait') {
      if (context.now() >= deadline) throw late(order)
      await new Promise((done) => setTimeout(done, STEP))
      continue
    }
    if (resolution.do === 'adopt') return { taken: 'adopted', container: holder }
    if (resolution.do === 'report-end') return { taken: 'ended', container: holder }
    const notice = await act(resolution, holder, order, context)
    if (notice !== undefined) notices.add(notice)
  }
}

function resolve(holder: Container, order: SpawnOrder, context: Context): Resolution {
  const worker = asWorker(holder, context.instance)
  const spawning = worker && context.roster.underway.get(worker.request)
  return resolveConflict(
    {
      state: holder.state,
      age: context.now() - holder.createdAt,
      foreign: worker === undefined,
      request: worker?.request,
      kept: worker?.spec.remove === false,
      // One that is queued is of a coordinator before this one, and has its turn yet to come.
      underway: spawning !== undefined && spawning.state !== 'queued',
    },
    { request: order.request, replace: order.replace },
  )
}

/** Carries out what the table says about a holder that is in the way; the notice for the person, if any. */
async function act(
  resolution: Exclude<Resolution, { do: 'wait' | 'adopt' | 'report-end' }>,
  holder: Container,
  order: SpawnOrder,
  context: Context,
): Promise<string | undefined> {
  const worker = asWorker(holder, context.instance)
  switch (resolution.do) {
    case 'refuse':
      throw refusal(resolution.why, holder, order, worker && (await reference(worker, context)))
    case 'begin-again':
      await context.engine.remove(holder.id)
      return undefined
    case 'clear':
      if (worker === undefined) throw refusal('foreign', holder, order)
      if ((await finish(worker, context)) === undefined) await discard(worker, 'it was never started', context)
      await context.engine.remove(holder.id)
      return `An ended worker "${order.name}" was removed; its exit record is kept.`
    case 'replace':
      if (worker === undefined) throw refusal('foreign', holder, order)
      await stopContainer(worker, { reason: 'stopped', at: context.now(), grace: REPLACE_GRACE }, context)
      await context.engine.remove(holder.id)
      return `The running worker "${order.name}" was stopped and replaced.`
  }
  resolution satisfies never
}

/** What a person calls the holder; not one who wants the name is meant, but one who has it. */
async function reference(holder: WorkerContainer, { roster }: Context): Promise<string> {
  const workers = (await roster.workers()).filter(({ id }) => id !== '')
  return referenceTo({ ...holder, name: holder.worker }, workers)
}

/** `ref`: what the next step calls the holder. */
function refusal(
  why: 'running' | 'starting' | 'kept' | 'foreign',
  holder: Container,
  order: SpawnOrder,
  ref: string = order.name,
): Failure {
  const { name } = order
  const where = order.project.path
  switch (why) {
    case 'running':
      return new Failure('name-in-use', `Worker "${name}" is already running in ${where}.`, {
        hint: `coordinator attach ${ref}`,
      })
    case 'starting':
      return new Failure('name-in-use', `Worker "${name}" is being started in ${where}.`, { hint: 'coordinator list' })
    case 'kept':
      return new Failure('name-in-use', `An ended worker "${name}" is kept in ${where}.`, {
        hint: `coordinator rm ${ref}`,
      })
    case 'foreign':
      return new Failure(
        'name-in-use',
        `The container ${holder.name} is not of this instance (label ${LABEL.instance}).`,
        {
          hint: 'choose another --name',
        },
      )
  }
}

function late({ name, project }: SpawnOrder): Failure {
  const waited = `The name "${name}" in ${project.path} did not become free within ${PATIENCE / 1000} s.`
  return new Failure('name-in-use', waited, { hint: 'coordinator list -a' })
}
