import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Context } from '../context.ts'
import { finish } from '../foreground.ts'
import { writeJson } from '../write.ts'
import { stay } from './stay.ts'
import type { Held } from './held.ts'

/** Attaches to a worker's session until the person detaches (0) or the command ends (its exit code). */
export async function attachTo(context: Context, ref: string, held: Held): Promise<number> {
  const { id, terminal, relay, detachKeys } = held
  const outcome = await stay(context, { ref, request: { enter: 'session', id, terminal }, relay, detachKeys })
  const { name } = outcome.worker
  switch (outcome.outcome) {
    case 'ended': {
      const code = await finish(context, outcome)
      // The session's screen goes with the session, and with it what the command showed last.
      context.say(`The session of worker "${name}" is over. Its output: coordinator logs ${name}`)
      return code
    }
    case 'detached':
      if (context.json) await writeJson(context.stdout, outcome)
      context.say(`Detached. Worker "${name}" keeps running. Attach with: coordinator attach ${name}`)
      return 0
    case 'exited':
      throw new Failure('unexpected', `The coordinator says that a command ended where a session was attached.`)
  }
  outcome satisfies never
}
