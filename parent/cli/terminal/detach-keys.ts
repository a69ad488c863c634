import { InvalidArgumentError } from 'commander'

/** Keys to leave by: as they were given, and as a terminal sends them. */
export type DetachKeys = { text: string; bytes: Buffer }

/** Finds the keys in what is typed; what may be their beginning is held back. */
export class DetachWatch {
  readonly #keys: Buffer
  #kept: Buffer = Buffer.alloc(0)

  constructor(keys: DetachKeys) {
    this.#keys = keys.bytes
  }

  /** The input to pass on, up to the keys where they are complete. */
  push(chunk: Buffer): { input: Buffer; leave: boolean } {
    const all = Buffer.concat([this.#kept, chunk])
    const at = all.indexOf(this.#keys)
    const end = at === -1 ? all.length - this.#beginning(all) : at
    this.#kept = at === -1 ? all.subarray(end) : Buffer.alloc(0)
    return { input: all.subarray(0, end), leave: at !== -1 }
  }

  /** How many of the last bytes could begin the keys. */
  #beginning(input: Buffer): number {
    for (let length = Math.min(this.#keys.length - 1, input.length); length > 0; length -= 1) {
      if (input.subarray(-length).equals(this.#keys.subarray(0, length))) return length
    }
    return 0
  }
}

/** `--detach-keys` as docker(1) has it: letters, digits, and `ctrl-` with a-z @ [ \ ] ^ _, between commas. */
export function parseDetachKeys(text: string): DetachKeys {
  const bytes = text.split(',').map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]
    // The terminal sends a letter's place in ASCII's first column: ctrl-a is 1.
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f
    if (/^[a-zA-Z0-9]$/.test(key)) return key.charCodeAt(0)
    throw new InvalidArgumentError('They are letters, digits or ctrl-X between commas, such as ctrl-p,ctrl-q.')
  })
  return { text, bytes: Buffer.from(bytes) }
}
