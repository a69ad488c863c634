import type { Step } from '../domain/reconcile.ts'
import type { EventLog } from '../store/event-log.ts'
import type { Pulls } from '../workers/pulls.ts'
import type { TakeBackContext } from '../workers/take-back.ts'
import type { DeliverContext } from './deliver.ts'
import type { Attachments } from './attachments.ts'
import type { Leaving } from './leaving.ts'
import type { StatusContext } from './status.ts'

/** What the control API needs; built once, in main.ts. */
export type ControlContext = DeliverContext &
  StatusContext & {
    events: EventLog
    attachments: Attachments
    pulls: Pulls
    leaving: Leaving
    /** What the reconcile loop would do now. */
    plan: () => Promise<Step[]>
    /** Where orders wait to be let in, and why; one that waits can be taken back. */
    room: TakeBackContext['room'] & { readonly because: string | null }
  }
