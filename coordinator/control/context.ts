import type { Failure } from '../contract/failure.ts'
import type { RequestId } from '../contract/names.ts'
import type { EventLog } from '../store/event-log.ts'
import type { DeliverContext } from './deliver.ts'
import type { Attachments } from './attachments.ts'
import type { StatusContext } from './status.ts'

/** What the control API needs; built once, in main.ts. */
export type ControlContext = DeliverContext &
  StatusContext & {
    events: EventLog
    attachments: Attachments
    /** Where orders wait to be let in; one that waits can be taken back. */
    room: { cancel: (request: RequestId, failure: Failure) => boolean }
  }
