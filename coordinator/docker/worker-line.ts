import type { Duplex } from 'node:stream'
import { FrameDecoder } from '../contract/frames.ts'
import { type Said, separate } from '../domain/worker-says.ts'
import { Failure } from '../contract/failure.ts'
import type { WorkerLine } from './engine.ts'

/** Longest first line a worker may say before we stop listening. Bytes. */
const MAX_LINE = 64 * 1024

/** The line to a worker over its attached streams (`stream`: the hijacked connection of the attach call). */
export function workerLine(stream: Duplex): WorkerLine {
  const decoder = new FrameDecoder()
  let pending = Buffer.alloc(0)
  const first = new Promise<Said | undefined>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const frame of decoder.push(chunk)) {
          if (frame.output === 'stderr') pending = Buffer.concat([pending, frame.data])
        }
      } catch {
        resolve(undefined)
        return
      }
      const complete = pending.subarray(0, pending.lastIndexOf(10) + 1)
      const [said] = separate(complete).said
      if (said !== undefined) resolve(said)
      else if (pending.length > MAX_LINE) resolve(undefined)
    })
    // A worker's end closes the stream; "error" is the same news with a reason.
    stream.on('end', () => resolve(undefined))
    stream.on('close', () => resolve(undefined))
    stream.on('error', () => resolve(undefined))
  })
  return {
    assign: (assignment) =>
      new Promise((resolve, reject) => {
        stream.once('error', reject)
        // Called with the error, too, when the stream is gone already.
        stream.end(assignment, (error?: Error | null) => {
          stream.off('error', reject)
          if (error) reject(error)
          else resolve()
        })
      }),
    heard: async (deadline) => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(silent(deadline)), deadline)
      })
      try {
        return await Promise.race([first, late])
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => stream.destroy(),
  }
}

function silent(deadline: number): Failure {
  return new Failure('worker-failed', `The worker said nothing within ${deadline / 1000} s.`, {
    hint: 'check that its image is a hal9000 worker image',
  })
}
