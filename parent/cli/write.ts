import { Failure } from '../../coordinator/contract/failure.ts'
import { SCHEMA_VERSION } from '../../coordinator/contract/worker.ts'
import type { Output } from './context.ts'
import { errorCode } from '../../coordinator/contract/error-code.ts'

/** Errors that mean: whoever read this has gone. `| head` is no failure of ours. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'])

/**
 * Writes and waits until it is taken, so a slow reader slows us down. Answers false when the reader has gone.
 * Throws a Failure for what is an error, such as a full disk.
 */
export function write(output: Output, data: Buffer | string): Promise<boolean> {
  // The callback below hears the error; without a listener the event would end the process as well.
  if (output.listenerCount('error') === 0) output.on('error', () => {})
  return new Promise((resolve, reject) => {
    output.write(data, (error) => {
      if (!error) resolve(true)
      else if (READER_GONE.has(errorCode(error) ?? '')) resolve(false)
      else reject(new Failure('unexpected', `The output could not be written: ${error.message}.`, { cause: error }))
    })
  })
}

/** One JSON object on one line, `schemaVersion` first. */
export function writeJson(output: Output, answer: object): Promise<boolean> {
  return write(output, `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...answer })}\n`)
}
