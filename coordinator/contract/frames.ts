/**
 * The framing that Docker's engine uses to carry two outputs over one stream, and that the control API uses for logs:
 * a header of 8 bytes (output, 0, 0, 0, length as big-endian 32-bit) and then that many bytes.
 * Source: Docker Engine API, "Attach to a container", stream format.
 */
export type Frame = { output: 'stdout' | 'stderr'; data: Buffer }

const HEADER = 8
/** The engine writes at most some 32 KiB a frame; anything far above is not this format. */
const MAX_FRAME = 1024 * 1024

export function encodeFrame(frame: Frame): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = frame.output === 'stderr' ? 2 : 1
  header.writeUInt32BE(frame.data.length, 4)
  return Buffer.concat([header, frame.data])
}

/**
 * A client's input to a command, framed too (0 = stdin): an empty frame is its end. The end of the connection is not: it
 * says that the client has gone.
 */
export function encodeInput(data: Buffer): Buffer {
  const frame = encodeFrame({ output: 'stdout', data })
  frame[0] = 0
  return frame
}

/**
 * Takes a stream apart into frames, whatever the points at which it arrives split.
 * Iterative: any number of frames may be in one chunk.
 */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0)

  /** Bytes that belong to a frame not complete yet. */
  get incomplete(): number {
    return this.#pending.length
  }

  /** The frames that `chunk` completes. Throws a RangeError on bytes that cannot be this format. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= HEADER) {
      const output = this.#pending.readUInt8(0)
      const length = this.#pending.readUInt32BE(4)
      if (output > 2 || length > MAX_FRAME) throw new RangeError('not a multiplexed stream: bad frame header')
      const end = HEADER + length
      if (this.#pending.length < end) return
      const data = this.#pending.subarray(HEADER, end)
      this.#pending = this.#pending.subarray(end)
      yield { output: output === 2 ? 'stderr' : 'stdout', data }
    }
  }
}
