import { Failure } from '../contract/failure.ts'

/** What is known of the process that is to end: `unproven` = it is there, or its pid is, but is not shown to be the one. */
export type Proof = { is: 'proven'; stopped: boolean } | { is: 'gone' } | { is: 'unproven'; because: string }

export type Ending = {
  /** Proves anew, by identity and lock, who the process is. */
  prove: () => Promise<Proof>
  /** One that has ended in this moment is no error. */
  signal: (name: 'SIGTERM' | 'SIGCONT' | 'SIGKILL') => void
  pause: (milliseconds: number) => Promise<void>
  /** Milliseconds. */
  now: () => number
}

/** Between TERM and KILL. The coordinator needs less than 2 s to end in order. Milliseconds. */
const GRACE = 3_000
/** How long the kernel may take after KILL. Milliseconds. */
const KERNEL = 5_000
const STEP = 50

/**
 * Ends a process: asks it (TERM; CONT for one that is stopped and would not hear), waits, then KILL. Each signal is sent
 * only right after the proof; where it fails, nothing more is sent. Fails with `instance-locked` then, and when the process
 * outlives its KILL.
 */
export async function endProcess(ending: Ending): Promise<void> {
  const found = await ending.prove()
  if (!maySignal(found)) return
  ending.signal('SIGTERM')
  if (found.stopped && maySignal(await ending.prove())) ending.signal('SIGCONT')
  if (await isGone(ending, GRACE)) return
  if (!maySignal(await ending.prove())) return
  ending.signal('SIGKILL')
  if (await isGone(ending, KERNEL)) return
  throw new Failure('instance-locked', 'The process outlived SIGKILL: the kernel holds it in a call.', {
    hint: './hal9000 logs',
  })
}

function maySignal(proof: Proof): proof is Extract<Proof, { is: 'proven' }> {
  if (proof.is !== 'unproven') return proof.is === 'proven'
  throw new Failure(
    'instance-locked',
    `It was not ended, because it is not proven to be the owner: ${proof.because}.`,
    {
      hint: 'coordinator daemon status',
    },
  )
}

async function isGone(ending: Ending, within: number): Promise<boolean> {
  for (const deadline = ending.now() + within; ; await ending.pause(STEP)) {
    // One that is not proven any more is ending, or its pid is somebody's: only "gone" or time decide.
    if ((await ending.prove()).is === 'gone') return true
    if (ending.now() >= deadline) return false
  }
}
