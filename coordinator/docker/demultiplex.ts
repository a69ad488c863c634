import { type Frame, FrameDecoder } from '../contract/frames.ts'

/**
 * The frames of a multiplexed stream of the engine. Iterative (dockerode's own recurses, and overflows the stack on many
 * small frames) and back-pressured: a chunk is read only when the frames of the one before were taken.
 * Throws when the stream ends inside of a frame: output was lost.
 */
export async function* demultiplex(stream: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  const decoder = new FrameDecoder()
  for await (const chunk of stream) yield* decoder.push(chunk)
  if (decoder.incomplete > 0) throw new Error('the stream ended inside of a frame')
}
