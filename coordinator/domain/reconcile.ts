import type { ContainerId, RequestId } from '../contract/names.ts'
import { YOUNG } from './conflict.ts'
import type { WorkerContainer } from './container.ts'
import { type NetworkOwner, networkLoss } from './network.ts'
import type { WorkerRecord } from './worker-record.ts'

/** What was seen in one pass. */
export type Seen = {
  containers: readonly WorkerContainer[]
  records: readonly WorkerRecord[]
  /** Requests that a spawn works on now: theirs to care for. */
  busy: ReadonlySet<RequestId>
  /** Whether it can be known what is wanted: Redis can be read, and what waits in it was. */
  desireKnown: boolean
  /** Requests whose container was absent in the pass before already. */
  absentBefore: ReadonlySet<RequestId>
  /** Containers that were created and that nobody worked on in the pass before already. */
  idleBefore: ReadonlySet<ContainerId>
  /** The containers whose networks the running workers joined. */
  owners: ReadonlyMap<ContainerId, NetworkOwner>
  /** Containers of which the engine said that a process was killed for want of memory. */
  limitHit: ReadonlySet<ContainerId>
}

/** One step towards what should be. Every step can be done again. */
export type Step =
  | { do: 'adopt'; container: WorkerContainer; because: string }
  | { do: 'tell-limit-hit'; container: WorkerContainer; because: string }
  | { do: 'tell-network-lost'; container: WorkerContainer; because: string }
  | { do: 'stop-for-network'; container: WorkerContainer; because: string }
  | { do: 'record-end'; container: WorkerContainer; because: string }
  | { do: 'remove'; container: WorkerContainer; because: string }
  | { do: 'discard'; container: WorkerContainer; because: string }
  | { do: 'time-out'; container: WorkerContainer; because: string }
  | { do: 'stop-again'; container: WorkerContainer; because: string }
  | { do: 'record-vanished'; record: WorkerRecord; because: string }

/** How long after its grace a stop that had no effect is tried again. Milliseconds. */
const STOP_SLACK = 5_000

/**
 * The steps that bring what is seen to what should be: ends are recorded, what ended and is not kept is removed, what runs
 * without a record is adopted, what has run out of time is stopped. Nothing that runs is removed because a record is missing.
 * Pure: the same input gives the same plan.
 */
export function reconcile(seen: Seen, now: number): Step[] {
  const records = new Map(seen.records.map((record) => [record.request, record]))
  const present = new Set(seen.containers.map((container) => container.request))
  const idle = seen.containers.filter((container) => !seen.busy.has(container.request))
  const steps = idle.flatMap((container) => stepsFor(container, records.get(container.request), seen, now))
  for (const record of seen.records) {
    if (record.end !== null || present.has(record.request) || seen.busy.has(record.request)) continue
    if (!seen.absentBefore.has(record.request)) continue
    steps.push({ do: 'record-vanished', record, because: 'its container was absent in two passes' })
  }
  return steps
}

function stepsFor(container: WorkerContainer, record: WorkerRecord | undefined, seen: Seen, now: number): Step[] {
  switch (container.state) {
    case 'exited':
    case 'dead':
      return ended(container, record, now)
    case 'created':
      // Whoever wants it might only not be known: gone is gone.
      if (now - container.createdAt < YOUNG || !seen.desireKnown || !seen.idleBefore.has(container.id)) return []
      return [
        {
          do: 'discard',
          container,
          because: 'created long ago, never started, and in two passes no spawn worked on it',
        },
      ]
    case 'running':
    case 'restarting':
    case 'paused':
      if (record === undefined) return [{ do: 'adopt', container, because: 'it runs and has no record' }]
      if (record.end !== null) return [] // It has ended since it was seen.
      return [...news(container, record, seen), ...dues(container, record, seen, now)]
    case 'removing':
      return []
  }
}

function ended(container: WorkerContainer, record: WorkerRecord | undefined, now: number): Step[] {
  const recorded = record !== undefined && record.end !== null
  const steps: Step[] = recorded
    ? []
    : [{ do: 'record-end', container, because: `the container is ${container.state}` }]
  if (container.spec.remove) {
    const since = recorded ? `ended ${Math.round((now - Date.parse(record.end?.endedAt ?? '')) / 1000)} s ago` : 'ended'
    steps.push({ do: 'remove', container, because: `${since}, exit record written` })
  }
  return steps
}

/** What has befallen a running worker and was not told yet. */
function news(container: WorkerContainer, record: WorkerRecord, seen: Seen): Step[] {
  const loss = record.networkLostAt === null ? lossOf(container, record, seen) : undefined
  return [
    ...(record.limitHitAt === null && seen.limitHit.has(container.id)
      ? [{ do: 'tell-limit-hit' as const, container, because: 'a process of it was killed for want of memory' }]
      : []),
    ...(loss === undefined ? [] : [{ do: 'tell-network-lost' as const, container, because: loss }]),
  ]
}

/** What is to be done with a running worker now. */
function dues(container: WorkerContainer, record: WorkerRecord, seen: Seen, now: number): Step[] {
  if (record.stop !== null) {
    const due = record.stop.at + record.stop.grace * 1000 + STOP_SLACK
    return now < due ? [] : [{ do: 'stop-again', container, because: 'a stop was asked for and it still runs' }]
  }
  if (record.deadline !== null && now >= record.deadline) {
    return [{ do: 'time-out', container, because: 'its time is up' }]
  }
  if (container.spec.onNetworkLoss === 'keep') return []
  if (record.networkLostAt === null && lossOf(container, record, seen) === undefined) return []
  return [{ do: 'stop-for-network', container, because: 'its network is lost, and then it is to stop' }]
}

function lossOf({ networkOwner }: WorkerContainer, { readyAt }: WorkerRecord, { owners }: Seen): string | undefined {
  return readyAt === null ? undefined : networkLoss({ networkOwner, readyAt }, owners)
}

/** The plan as text, a line a step. */
export function render(steps: readonly Step[]): string {
  return steps.map((step) => `${step.do} ${subject(step)}: ${step.because}\n`).join('')
}

function subject(step: Step): string {
  if (step.do === 'record-vanished') return `${step.record.container?.slice(0, 4) ?? '-'} (${step.record.name})`
  return `${step.container.id.slice(0, 4)} (${step.container.worker})`
}
