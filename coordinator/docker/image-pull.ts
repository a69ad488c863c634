import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { Failure } from '../contract/failure.ts'
import type { PullProgress } from '../contract/pull.ts'
import { pullFailed } from '../domain/image-reference.ts'
import { engineMessage, httpStatus } from './engine-failure.ts'
import { jsonLines } from './json-lines.ts'
import { Layers, PullLine } from './layers.ts'

/**
 * Has the engine pull an image, to its end or the signal's: then the connection is closed, which is how the engine learns
 * that nobody wants it any more. See Engine.pull.
 */
export async function pullImage(
  docker: Docker,
  reference: string,
  onProgress: (progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const stream: unknown = await docker.pull(reference, { abortSignal: signal })
    if (!(stream instanceof Readable)) throw new Error('the engine answered a pull without a stream')
    await follow(stream, reference, onProgress, signal)
  } catch (error) {
    if (signal.aborted) throw Failure.from(signal.reason)
    if (httpStatus(error) === undefined) throw error
    throw pullFailed(reference, engineMessage(error), error)
  }
}

async function follow(
  stream: Readable,
  reference: string,
  onProgress: (progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const abort = (): void => void stream.destroy(Failure.from(signal.reason))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  const layers = new Layers()
  try {
    for await (const value of jsonLines(stream)) {
      const line = PullLine.parse(value)
      // The answer began with 200, long before it was known.
      if (line.error !== undefined) throw pullFailed(reference, line.error)
      layers.hear(line)
      onProgress(layers.progress)
    }
  } finally {
    signal.removeEventListener('abort', abort)
    stream.destroy()
  }
}
