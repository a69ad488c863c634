import type { Readable } from 'node:stream'

/** A byte stream as what it is: Node types the chunks as anything, because an encoding could be set; ours have none. */
export function bytesOf(stream: Readable): AsyncIterable<Buffer> {
  return stream
}
