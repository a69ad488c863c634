import { Failure } from '../../coordinator/contract/failure.ts'
import type { Worker } from '../../coordinator/contract/worker.ts'
import type { Context } from './context.ts'
import { write, writeJson } from './write.ts'

/** What an act on one worker came to; `notices` for people, such as that there was nothing left to do. */
type Result = { worker: Worker; notices: string[] }

type Outcome<T> = { name: string; result: T } | { name: string; failure: Failure }

/**
 * Acts on several workers at once, each on its own, and reports every one: the names on stdout, or with `--json` one object
 * with a list by the name of `done`. Answers the exit code: the first failure's.
 */
export async function each<T extends Result>(
  context: Context,
  names: readonly string[],
  done: 'stopped' | 'removed' | 'cancelled',
  act: (name: string) => Promise<T>,
): Promise<number> {
  const outcomes = await Promise.all([...new Set(names)].map((name) => attempt(name, act)))
  const succeeded = outcomes.filter((one) => 'result' in one)
  const failed = outcomes.filter((one) => 'failure' in one)
  const first = failed[0]?.failure
  // One name that failed is one failure, and is answered as every other.
  if (first && outcomes.length === 1) throw first
  if (context.json) {
    await writeJson(context.stdout, {
      [done]: succeeded.map(({ result }) => result),
      failed: failed.map(({ name, failure }) => ({ name, error: failure.toShape() })),
      ...(first && { error: first.toShape() }),
    })
    return first?.exitCode ?? 0
  }
  for (const { result } of succeeded) {
    for (const notice of result.notices) context.say(notice)
    await write(context.stdout, `${result.worker.name}\n`)
  }
  for (const { failure } of failed) {
    context.say(failure.message)
    if (failure.hint !== undefined) context.say(`Next: ${failure.hint}`)
  }
  return first?.exitCode ?? 0
}

async function attempt<T>(name: string, act: (name: string) => Promise<T>): Promise<Outcome<T>> {
  try {
    return { name, result: await act(name) }
  } catch (error) {
    return { name, failure: Failure.from(error) }
  }
}
