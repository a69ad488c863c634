import { posix } from 'node:path'
import { Failure } from '../contract/failure.ts'
import type { Worker } from '../contract/worker.ts'
import { projectHash } from './project-hash.ts'

/**
 * The one of these whose request a person means by `ref`: its id, its worker's name (or `dir/name`, `hash8/name`), or a
 * unique prefix of its id. undefined when none fits. Fails with `ambiguous`, also where two requests are for the same name:
 * which of them is taken back is no guess.
 */
export function findRequest(ref: string, workers: readonly Worker[]): Worker | undefined {
  const rules: ((worker: Worker) => boolean)[] = [
    ({ request }) => request === ref,
    ({ name }) => name === ref,
    ({ name, project }) => `${posix.basename(project)}/${name}` === ref,
    ({ name, project }) => `${projectHash(project)}/${name}` === ref,
    ({ request }) => ref.length >= 4 && request.startsWith(ref),
  ]
  for (const rule of rules) {
    const [first, ...others] = workers.filter(rule)
    if (first !== undefined && others.length === 0) return first
    if (first !== undefined) throw ambiguous(ref, [first, ...others])
  }
  return undefined
}

function ambiguous(ref: string, candidates: readonly [Worker, ...Worker[]]): Failure {
  const ids = candidates.map(({ request, name, project }) => `${request} (${name} in ${project})`)
  return new Failure('ambiguous', `"${ref}" fits ${candidates.length} requests: ${ids.join(', ')}.`, {
    hint: `coordinator queue cancel ${candidates[0].request}`,
  })
}
