import { Failure, type FailureCode } from '../contract/failure.ts'

/**
 * What a worker says of itself: lines on its stderr that begin with the record separator, one when the command has been
 * executed (or could not be), one at its end. The writer is worker/entrypoint.
 */
export type Said =
  | { said: 'ready' }
  | { said: 'refused'; word: string; message: string }
  | {
      said: 'ended'
      exitCode: number
      signal: string | null
      oomKills: number | null
      pidsLimitHits: number | null
      /** The signal that told the worker itself to stop, null when none did. */
      stoppedBy: string | null
    }

const MARK = '\x1ehal9000 '
const MARK_BYTES = Buffer.from(MARK)
const ENDED = /^ended exit=(\d+) signal=(\S+) oom=(\d+|-) pids=(\d+|-)(?: by=(\S+))?$/

/**
 * Takes what the worker says out of a piece of its stderr: what remains is the command's own, byte for byte.
 * A mark without a word that a worker says, or without its newline, is the command's own too.
 */
export function separate(data: Buffer): { rest: Buffer; said: Said[] } {
  const said: Said[] = []
  const rest: Buffer[] = []
  let kept = 0 // up to where `data` is accounted for; never searched again, or two remains could join to a mark
  for (
    let start = data.indexOf(MARK_BYTES);
    start !== -1;
    start = data.indexOf(MARK_BYTES, Math.max(kept, start + 1))
  ) {
    const newline = data.indexOf(10, start)
    if (newline === -1) break
    const parsed = parseSaid(data.subarray(start + MARK_BYTES.length, newline).toString())
    if (parsed === undefined) continue
    said.push(parsed)
    rest.push(data.subarray(kept, start))
    kept = newline + 1
  }
  return { rest: Buffer.concat([...rest, data.subarray(kept)]), said }
}

export function parseSaid(line: string): Said | undefined {
  if (line === 'ready') return { said: 'ready' }
  const [first, word, ...words] = line.split(' ')
  if (first === 'refused' && word !== undefined) return { said: 'refused', word, message: words.join(' ') }
  const match = ENDED.exec(line)
  if (!match) return undefined
  const [, exitCode, signal, oomKills, pidsLimitHits, stoppedBy] = match.map((text) => (text === '-' ? null : text))
  const count = (text: string | null | undefined): number | null => (text == null ? null : Number(text))
  return {
    said: 'ended',
    exitCode: Number(exitCode),
    signal: signal ?? null,
    oomKills: count(oomKills),
    pidsLimitHits: count(pidsLimitHits),
    stoppedBy: stoppedBy ?? null,
  }
}

const REFUSALS = new Map<string, FailureCode>([
  ['command-not-found', 'command-not-found'],
  ['command-not-executable', 'command-not-executable'],
  ['project-changed', 'refused-by-policy'],
])

/** A worker's refusal as the failure its client sees. */
export function refusalFailure(worker: string, refusal: { word: string; message: string }): Failure {
  const code = REFUSALS.get(refusal.word) ?? 'worker-failed'
  return new Failure(code, `Worker "${worker}" could not start its command: ${refusal.message || refusal.word}`)
}
