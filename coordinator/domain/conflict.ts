import type { RequestId } from '../contract/names.ts'
import type { EngineState } from './container.ts'

/** What holds the name that a spawn wants. */
export type Holder = {
  state: EngineState
  /** Milliseconds since the container was created. */
  age: number
  /** Not ours, or of another instance: never touched. */
  foreign: boolean
  request: RequestId | undefined
  /** Kept on purpose (`--no-rm`). */
  kept: boolean
  /** A spawn works on it now: it has not said yet that its command runs. */
  underway: boolean
}

/** What to do about it. `because` is for people and tests. */
export type Resolution =
  | { do: 'adopt'; because: string }
  | { do: 'report-end'; because: string }
  | { do: 'begin-again'; because: string }
  | { do: 'clear'; because: string }
  | { do: 'replace'; because: string }
  | { do: 'wait'; because: string }
  | { do: 'refuse'; why: 'running' | 'starting' | 'kept' | 'foreign'; because: string }

/** A container that was created but not started within this time belongs to a spawn that is over. Milliseconds. */
export const YOUNG = 30_000

/**
 * The table of design, section 6: a name is taken by creating the container, and this says what the one who comes
 * second does. Complete over every state Docker knows.
 */
export function resolveConflict(holder: Holder, wanted: { request: RequestId; replace: boolean }): Resolution {
  if (holder.foreign) return { do: 'refuse', why: 'foreign', because: 'the container is not of this instance' }
  if (holder.request === wanted.request) return sameRequest(holder)
  switch (holder.state) {
    case 'running':
    case 'paused':
    case 'restarting':
      if (holder.underway) return starting(wanted.replace)
      if (wanted.replace) return { do: 'replace', because: `--replace, and the holder is ${holder.state}` }
      return { do: 'refuse', why: 'running', because: `the holder is ${holder.state}` }
    case 'created':
      if (holder.underway || holder.age < YOUNG) return starting(wanted.replace)
      return { do: 'clear', because: 'the holder was created long ago and never started' }
    case 'exited':
    case 'dead':
      if (holder.kept && !wanted.replace) return { do: 'refuse', why: 'kept', because: 'the holder ended and is kept' }
      return { do: 'clear', because: `the holder is ${holder.state}` }
    case 'removing':
      return { do: 'wait', because: 'the holder is being removed' }
  }
}

/** Of two that replace one worker the later wins, and the earlier is told the truth: so it is waited for, not cut down. */
function starting(replace: boolean): Resolution {
  if (replace) return { do: 'wait', because: '--replace, and the holder is being started' }
  return { do: 'refuse', why: 'starting', because: 'the holder is being started' }
}

/** The same request again, after a crash or a retry: go on where it stands, never run it twice. */
function sameRequest(holder: Holder): Resolution {
  switch (holder.state) {
    case 'running':
    case 'paused':
    case 'restarting':
      return { do: 'adopt', because: 'the request started it already' }
    case 'created':
      return { do: 'begin-again', because: 'the request created it and never started it' }
    case 'exited':
    case 'dead':
      return { do: 'report-end', because: 'the request ran and ended' }
    case 'removing':
      return { do: 'report-end', because: 'the request ended and its container is being removed' }
  }
}
