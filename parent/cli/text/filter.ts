import type { Worker } from '../../../coordinator/contract/worker.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'

/** What `--filter` can look at, and how. A project fits by its whole path or its last component. */
const FILTERS: Record<string, (worker: Worker, value: string) => boolean> = {
  name: (worker, value) => worker.name === value,
  project: (worker, value) => worker.project === value || worker.project.endsWith(`/${value}`),
  state: (worker, value) => worker.state === value,
  reason: (worker, value) => worker.reason === value,
  condition: (worker, value) => worker.conditions.some((condition) => condition === value),
  image: (worker, value) => worker.image === value,
  io: (worker, value) => worker.io === value,
  id: (worker, value) => value !== '' && worker.id.startsWith(value),
  request: (worker, value) => worker.request === value,
}

export type Filter = {
  /** Ended workers are asked for, so they have to be listed. */
  wantsEnded: boolean
  matches: (worker: Worker) => boolean
}

/** K=V words → a test: every key must fit, one of its values is enough. Throws `invalid-value`. */
export function parseFilter(words: readonly string[]): Filter {
  const wanted = new Map<string, string[]>()
  for (const word of words) {
    const equals = word.indexOf('=')
    const key = equals === -1 ? word : word.slice(0, equals)
    if (equals === -1 || !Object.hasOwn(FILTERS, key)) {
      const keys = Object.keys(FILTERS).join(', ')
      throw new Failure('invalid-value', `"${word}" is not a filter K=V with one of the keys ${keys}.`, {
        hint: 'coordinator list --help',
      })
    }
    wanted.set(key, [...(wanted.get(key) ?? []), word.slice(equals + 1)])
  }
  return {
    wantsEnded: wanted.has('reason') || wanted.get('state')?.includes('ended') === true,
    matches: (worker) =>
      [...wanted].every(([key, values]) => values.some((value) => FILTERS[key]?.(worker, value) === true)),
  }
}
