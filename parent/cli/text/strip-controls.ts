const BEL = 0x07
const CAN = 0x18
const SUB = 0x1a
const ESC = 0x1b
/** A control sequence longer than this is none that we would keep. Bytes. */
const LONGEST_SEQUENCE = 64

type State = 'text' | 'escape' | 'escape-charset' | 'sequence' | 'string' | 'string-escape'

/**
 * Lets text, colours (SGR) and CR, LF, TAB, BS through and takes every other control away: what a worker printed must
 * not set the title, write the clipboard, make the terminal answer into our input, or switch its modes.
 * Works on bytes, whatever the points at which they arrive split. Sequences: ECMA-48 and xterm's "ctlseqs".
 */
export class ControlStripper {
  #state: State = 'text'
  #sequence: number[] = []
  /** Bytes of a UTF-8 character still to come. */
  #continuation = 0
  /** A byte C2 held back: with the next byte it may be a C1 control in UTF-8. */
  #held = false
  #coloured = false

  /** False while in the middle of a control sequence or a character: nothing may be put in between then. */
  get between(): boolean {
    return this.#state === 'text' && this.#continuation === 0 && !this.#held
  }

  push(chunk: Buffer): Buffer {
    // Room for a sequence and a character that began in an earlier chunk.
    const out = Buffer.allocUnsafe(chunk.length + LONGEST_SEQUENCE + 8)
    let length = 0
    for (const byte of chunk) length = this.#take(byte, out, length)
    return out.subarray(0, length)
  }

  /** What to print at the very end: colours back to normal, if any were set. */
  end(): Buffer {
    return Buffer.from(this.#coloured ? '\u001b[0m' : '')
  }

  #take(byte: number, out: Buffer, length: number): number {
    switch (this.#state) {
      case 'text':
        return this.#takeText(byte, out, length)
      case 'escape':
        return this.#takeEscape(byte, out, length)
      case 'escape-charset':
        if (byte >= 0x20 && byte <= 0x2f) return length
        this.#state = 'text'
        return byte < 0x20 ? this.#takeText(byte, out, length) : length
      case 'sequence':
        return this.#takeSequence(byte, out, length)
      case 'string':
        return this.#takeString(byte, out, length)
      case 'string-escape':
        // ESC \ ends the string; any other ESC ends it too and begins something of its own.
        this.#state = 'text'
        return byte === 0x5c ? length : this.#takeEscape(byte, out, length)
      default:
        return this.#state satisfies never
    }
  }

  #takeText(byte: number, out: Buffer, length: number): number {
    if (this.#held) {
      this.#held = false
      if (byte >= 0x80 && byte <= 0x9f) return this.#takeC1(byte, length)
      out[length] = 0xc2
      if (byte >= 0xa0 && byte <= 0xbf) {
        out[length + 1] = byte
        return length + 2
      }
      return this.#takeText(byte, out, length + 1)
    }
    if (byte >= 0x80 && byte <= 0xbf) {
      if (this.#continuation === 0) return byte <= 0x9f ? this.#takeC1(byte, length) : put(byte, out, length)
      this.#continuation -= 1
      return put(byte, out, length)
    }
    this.#continuation = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte > 0xc2 ? 1 : 0
    // Never valid in UTF-8; C0 is how an ESC was smuggled into old decoders.
    if (byte === 0xc0 || byte === 0xc1 || byte >= 0xf5) {
      this.#continuation = 0
      return length
    }
    if (byte === 0xc2) {
      this.#held = true
      return length
    }
    if (byte === ESC) {
      this.#state = 'escape'
      return length
    }
    const kept = byte >= 0x20 ? byte !== 0x7f : byte === 0x08 || byte === 0x09 || byte === 0x0a || byte === 0x0d
    return kept ? put(byte, out, length) : length
  }

  /** The 8-bit forms of CSI and of the strings; the rest of C1 is dropped. */
  #takeC1(byte: number, length: number): number {
    if (byte === 0x9b) this.#begin()
    else if (byte === 0x90 || byte === 0x98 || byte >= 0x9d) this.#state = 'string'
    return length
  }

  #takeEscape(byte: number, out: Buffer, length: number): number {
    this.#state = 'text'
    if (byte === 0x5b) this.#begin()
    else if ('PX]^_'.includes(String.fromCharCode(byte))) this.#state = 'string'
    else if (byte === ESC) this.#state = 'escape'
    else if (byte >= 0x20 && byte <= 0x2f) this.#state = 'escape-charset'
    else if (byte < 0x20 || byte >= 0x7f) return this.#takeText(byte, out, length)
    return length
  }

  #begin(): void {
    this.#state = 'sequence'
    this.#sequence = []
  }

  #takeSequence(byte: number, out: Buffer, length: number): number {
    if (byte >= 0x20 && byte <= 0x3f && this.#sequence.length < LONGEST_SEQUENCE - 3) {
      this.#sequence.push(byte)
      return length
    }
    this.#state = 'text'
    if (byte < 0x20 || byte >= 0x7f) return this.#takeText(byte, out, length)
    const parameters = String.fromCharCode(...this.#sequence)
    if (byte !== 0x6d || !/^[0-9;:]*$/.test(parameters)) return length
    this.#coloured = true
    return length + out.write(`\u001b[${parameters}m`, length, 'latin1')
  }

  /** A line feed ends a string as well: one that never ends must not swallow the rest of a log. */
  #takeString(byte: number, out: Buffer, length: number): number {
    if (byte === ESC) this.#state = 'string-escape'
    else if (byte === BEL || byte === CAN || byte === SUB) this.#state = 'text'
    else if (byte === 0x0a || byte === 0x0d) {
      this.#state = 'text'
      return this.#takeText(byte, out, length)
    }
    return length
  }
}

function put(byte: number, out: Buffer, length: number): number {
  out[length] = byte
  return length + 1
}
