const ANSWER = '\u001b[0n'

/**
 * Takes the terminal's answers to our probe out of what it sends, so that the worker's program never sees them. An
 * answer may arrive in pieces: what may be the beginning of one is kept until `push` or `flush`.
 */
export class AnswerFilter {
  #kept = ''

  /** Something is kept back that a person may have typed (an ESC): flush it soon. */
  get keeping(): boolean {
    return this.#kept !== ''
  }

  push(chunk: Buffer): { input: Buffer; answers: number } {
    const parts = (this.#kept + chunk.toString('latin1')).split(ANSWER)
    const last = parts.at(-1) ?? ''
    const keep = beginning(last)
    parts[parts.length - 1] = last.slice(0, last.length - keep)
    this.#kept = last.slice(last.length - keep)
    return { input: Buffer.from(parts.join(''), 'latin1'), answers: parts.length - 1 }
  }

  flush(): Buffer {
    const kept = Buffer.from(this.#kept, 'latin1')
    this.#kept = ''
    return kept
  }
}

/** How many of the last characters could begin an answer. */
function beginning(text: string): number {
  for (let length = ANSWER.length - 1; length > 0; length -= 1) {
    if (text.endsWith(ANSWER.slice(0, length))) return length
  }
  return 0
}
