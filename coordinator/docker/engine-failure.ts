import { Failure } from '../contract/failure.ts'

export function engineFailure(message: string, cause?: unknown): Failure {
  return new Failure('engine-unreachable', message, {
    hint: 'check that the engine runs on the host: docker info',
    cause,
  })
}

/** The HTTP status of an answer that dockerode turned into an error; undefined if it is no such error. */
export function httpStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}

/** What the engine itself said, without dockerode's wrapping. */
export function engineMessage(error: unknown): string {
  if (error instanceof Error && 'json' in error) {
    const { json } = error
    if (typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string') {
      return json.message.trim()
    }
  }
  const text = error instanceof Error ? error.message : String(error)
  // Of an answer that would have been a stream dockerode keeps nothing but this.
  return text.replace(/^\(HTTP code \d+\) [\w ]+ - /, '').trim()
}

/** The answer, or undefined where the engine says that there is no such thing. */
export async function unless404<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (httpStatus(error) === 404) return undefined
    throw error
  }
}

/** Waits for an effect; the given statuses mean that it is done already. */
export async function settled(work: Promise<unknown>, done: readonly number[]): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!done.includes(httpStatus(error) ?? 0)) throw error
  }
}
