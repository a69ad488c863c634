import { posix } from 'node:path'
import { Failure } from '../contract/failure.ts'
import type { Worker } from '../contract/worker.ts'
import { projectHash } from './project-hash.ts'

const ALIVE_FIRST = (a: Worker, b: Worker): number =>
  Number(a.state === 'ended') - Number(b.state === 'ended') || b.createdAt.localeCompare(a.createdAt)

/**
 * The worker that `ref` means: by a request's id, first of all, because it is unique and we ourselves go by it; by a name;
 * by `dir/name` or `hash8/name` where two projects use the same one; or by a unique prefix of a container's id. An exact
 * name beats a prefix; among workers of one name in one project the live one beats those that ended, the latest beats the
 * earlier. Fails with `not-found`, or `ambiguous` and the candidates.
 */
export function findWorker(ref: string, workers: readonly Worker[]): Worker {
  const rules: ((worker: Worker) => boolean)[] = [
    (worker) => worker.request === ref,
    (worker) => worker.name === ref,
    (worker) => `${posix.basename(worker.project)}/${worker.name}` === ref,
    (worker) => `${projectHash(worker.project)}/${worker.name}` === ref,
    (worker) => ref.length >= 4 && worker.id.startsWith(ref),
  ]
  for (const rule of rules) {
    const found = onePerProject(workers.filter(rule))
    const alive = found.filter((worker) => worker.state !== 'ended')
    const [first, ...others] = alive.length > 0 ? alive : found
    if (first !== undefined && others.length === 0) return first
    if (first !== undefined) throw ambiguous(ref, [first, ...others])
  }
  throw new Failure('not-found', `No worker is known by "${ref}".`, { hint: 'coordinator list -a' })
}

/** The shortest reference that means this worker and no other: what a hint may tell a person to type. */
export function referenceTo(worker: Pick<Worker, 'name' | 'project' | 'request'>, workers: readonly Worker[]): string {
  const { name, project, request } = worker
  const short = [name, `${posix.basename(project)}/${name}`, `${projectHash(project)}/${name}`]
  return short.find((ref) => means(ref, request, workers)) ?? request
}

function means(ref: string, request: string, workers: readonly Worker[]): boolean {
  try {
    return findWorker(ref, workers).request === request
  } catch {
    return false // Ambiguous, or nobody's.
  }
}

/** The one that counts for each project and name. */
function onePerProject(workers: readonly Worker[]): Worker[] {
  const best = new Map<string, Worker>()
  for (const worker of [...workers].sort(ALIVE_FIRST)) {
    const key = `${worker.project}\n${worker.name}`
    if (!best.has(key)) best.set(key, worker)
  }
  return [...best.values()]
}

function ambiguous(ref: string, candidates: readonly [Worker, ...Worker[]]): Failure {
  const names = candidates.map((worker) => `${projectHash(worker.project)}/${worker.name} (${worker.project})`)
  return new Failure('ambiguous', `"${ref}" fits ${candidates.length} workers: ${names.join(', ')}.`, {
    hint: `coordinator inspect ${projectHash(candidates[0].project)}/${candidates[0].name}`,
  })
}
