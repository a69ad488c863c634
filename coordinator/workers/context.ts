import type { Logger } from 'pino'
import type { NewEvent } from '../contract/event.ts'
import type { ContainerId, InstanceName } from '../contract/names.ts'
import type { WorkerRecord } from '../domain/worker-record.ts'
import type { Engine } from '../docker/engine.ts'
import type { Records } from '../state/records.ts'
import type { Roster } from './roster.ts'

/** What every action on workers needs; built once, in main.ts. */
export type Context = {
  instance: InstanceName
  /** The state directory. */
  home: string
  engine: Engine
  records: Records
  roster: Roster
  /** Ends that are being written now, by container. */
  recording: Map<ContainerId, Promise<WorkerRecord | undefined>>
  /** Returns while the instance is this coordinator's; never once it is another's (instance/hold.ts). Before every effect. */
  stillHeld: () => Promise<void>
  /** Notes an event for the event log; never waits, never fails. */
  note: (event: NewEvent) => void
  /** Whether it can be known what is wanted: Redis can be read, and what waits in it was. */
  desireKnown: () => boolean
  /** Has the reconcile loop look at what is due then; milliseconds since the epoch. */
  wakeAt: (time: number) => void
  log: Logger
  /** Milliseconds since the epoch. */
  now: () => number
}
