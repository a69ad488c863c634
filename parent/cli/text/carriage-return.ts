const CR = 0x0d
const LF = 0x0a

/**
 * CR LF → LF: a terminal session writes both, a file wants one. A carriage return alone stays. Works over chunks.
 */
export class CarriageReturnDropper {
  #held = false

  push(chunk: Buffer): Buffer {
    const out = Buffer.allocUnsafe(chunk.length + 1)
    let length = 0
    for (const byte of chunk) {
      if (this.#held && byte !== LF) length = out.writeUInt8(CR, length)
      this.#held = byte === CR
      if (!this.#held) length = out.writeUInt8(byte, length)
    }
    return out.subarray(0, length)
  }

  /** The carriage return that was waiting for its line feed. */
  end(): Buffer {
    const rest = Buffer.from(this.#held ? [CR] : [])
    this.#held = false
    return rest
  }
}
