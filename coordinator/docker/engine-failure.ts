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
  return error instanceof Error ? error.message : String(error)
}
