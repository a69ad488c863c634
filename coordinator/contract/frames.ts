/**
 * The framing that Docker's engine uses to carry two outputs over one stream, and that the control API uses for logs:
 * a header of 8 bytes (output, 0, 0, 0, length as big-endian 32-bit) and then that many bytes.
 * Source: Docker Engine API, "Attach to a container", stream format.
 */
export type Frame = { output: 'stdout' | 'stderr'; data: Buffer }

const HEADER = 8
/** The engine writes at most some 32 KiB a frame; anything far above is not this format. */
const MAX_FRAME = 16 * 1024 * 1024

export function encodeFrame(frame: Frame): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = frame.output === 'stderr' ? 2 : 1
  header.writeUInt32BE(frame.data.length, 4)
  return Buffer.concat([header, frame.data])
}

/**
 * Takes a stream apart into frames, whatever the points at which it arrives split.
 * Iterative: any number of frames may be in one chunk.
 */
export class FrameDecoder {
  #pending: Buffer[] = []
  #length = 0

  /** Bytes that belong to a frame not complete yet. */
  get incomplete(): number {
    return this.#length
  }

  /** The frames that `chunk` completes. Throws a RangeError on bytes that cannot be this format. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#pending.push(chunk)
    this.#length += chunk.length
    let needed = this.#needed()
    while (needed !== undefined && this.#length >= needed) {
      const all = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending)
      const rest = all.subarray(needed)
      this.#pending = rest.length > 0 ? [rest] : []
      this.#length = rest.length
      yield { output: all[0] === 2 ? 'stderr' : 'stdout', data: all.subarray(HEADER, needed) }
      needed = this.#needed()
    }
  }

  /** Length of the frame at the front, header included; undefined until its header is complete. */
  #needed(): number | undefined {
    if (this.#length < HEADER) return undefined
    if ((this.#pending[0] as Buffer).length < HEADER) this.#pending = [Buffer.concat(this.#pending)]
    const front = this.#pending[0] as Buffer
    const length = front.readUInt32BE(4)
    if ((front[0] as number) > 2 || length > MAX_FRAME) throw new RangeError('not a multiplexed stream: bad frame header')
    return HEADER + length
  }
}
