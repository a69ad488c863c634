/**
 * Finds out that a terminal has died where nothing tells us: behind `docker exec -it` a closed terminal gives no
 * signal and no end of input. A terminal answers "status?" (ECMA-48 DSR, `ESC [5n`) with `ESC [0n`; one that answered
 * once and then stays silent is gone.
 *
 * `asking`: the first question is out. `watching`: it was answered, so silence means something. `off`: it was not, and
 * nothing more is asked.
 */
export type Probe = { phase: 'asking' | 'watching' | 'off'; unanswered: boolean; heard: boolean; misses: number }

/** `tick` comes every PROBE_INTERVAL, `answer` and `input` from the terminal. */
export type ProbeEvent = 'tick' | 'answer' | 'input'

export const PROBE_QUESTION = '\u001b[5n'
/** Milliseconds. */
export const PROBE_INTERVAL = 1_500
const MOST_MISSES = 3

/** The state after the first question was sent. */
export const PROBE_BEGIN: Probe = { phase: 'asking', unanswered: true, heard: false, misses: 0 }

/** The next state, and what to do: ask again, or leave because the terminal is gone. Pure. */
export function probe(state: Probe, event: ProbeEvent): { state: Probe; act: 'ask' | 'leave' | undefined } {
  switch (event) {
    case 'answer':
      return stay(state.phase === 'off' ? state : { ...state, phase: 'watching', unanswered: false, misses: 0 })
    case 'input':
      return stay({ ...state, heard: true, unanswered: false, misses: 0 })
    case 'tick':
      return tick(state)
    default:
      return event satisfies never
  }
}

function tick(state: Probe): { state: Probe; act: 'ask' | 'leave' | undefined } {
  if (state.phase !== 'watching') return stay({ ...state, phase: 'off' })
  if (state.heard) return stay({ ...state, heard: false })
  const misses = state.unanswered ? state.misses + 1 : 0
  if (misses >= MOST_MISSES) return { state: { ...state, misses }, act: 'leave' }
  return { state: { ...state, misses, unanswered: true }, act: 'ask' }
}

function stay(state: Probe): { state: Probe; act: undefined } {
  return { state, act: undefined }
}
