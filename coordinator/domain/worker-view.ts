import type { Condition, Worker, WorkerState } from '../contract/worker.ts'
import type { WorkerContainer } from './container.ts'
import { isAlive, workerState } from './lifecycle.ts'
import type { SpawnOrder } from './spawn-order.ts'
import type { WorkerRecord } from './worker-record.ts'

/** A spawn that is on its way; `because`: why it waits, where it is not for its turn. */
export type Underway = { order: SpawnOrder; state: 'queued' | 'creating' | 'starting'; because?: string }

export type World = {
  containers: readonly WorkerContainer[]
  records: readonly WorkerRecord[]
  underway: readonly Underway[]
  /** Open terminals by request. */
  attached: ReadonlyMap<string, number>
  /** Milliseconds since the epoch. */
  now: number
}

/** All workers anyone can ask about: those with a container, those on their way, those that ended. Oldest first. */
export function workersOf(world: World): Worker[] {
  const records = new Map(world.records.map((record) => [record.request as string, record]))
  const underway = new Map(world.underway.map((entry) => [entry.order.request as string, entry]))
  const seen = new Set<string>()
  const workers: Worker[] = []
  for (const container of world.containers) {
    seen.add(container.request)
    workers.push(fromContainer(container, records.get(container.request), underway.get(container.request), world))
  }
  for (const { order, state } of world.underway) {
    if (!seen.has(order.request)) workers.push(fromOrder(order, state))
    seen.add(order.request)
  }
  for (const record of world.records) {
    if (!seen.has(record.request)) workers.push(fromRecord(record))
  }
  return workers.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.name.localeCompare(b.name))
}

function fromContainer(
  container: WorkerContainer,
  record: WorkerRecord | undefined,
  underway: Underway | undefined,
  world: World,
): Worker {
  const ready = underway === undefined && (record === undefined || record.readyAt !== null)
  const state = record?.end ? 'ended' : workerState(container.state, { ready, stop: Boolean(record?.stop) })
  return {
    name: container.worker,
    project: container.project,
    id: container.id,
    request: container.request,
    state,
    ...endOf(record),
    image: record?.image ?? container.image,
    command: record?.command ?? underway?.order.command ?? [],
    io: container.spec.io,
    createdAt: iso(record?.createdAt ?? container.createdAt),
    startedAt: isoOrNull(record?.readyAt),
    limits: container.spec.limits,
    timeout: record?.timeout ?? underway?.order.timeout ?? null,
    onNetworkLoss: container.spec.onNetworkLoss,
    attached: world.attached.get(container.request) ?? 0,
    conditions: conditionsOf(container, record, world.now),
  }
}

/** An order that has no container yet. */
export function fromOrder(order: SpawnOrder, state: WorkerState): Worker {
  return {
    name: order.name,
    project: order.project.path,
    id: '',
    request: order.request,
    state,
    ...endOf(undefined),
    image: order.image,
    command: order.command,
    io: order.io,
    createdAt: iso(order.receivedAt),
    startedAt: null,
    limits: order.limits,
    timeout: order.timeout,
    onNetworkLoss: order.onNetworkLoss,
    attached: 0,
    conditions: [],
  }
}

/** A record without a container: it ended, or, until two passes agree on that, cannot be known now. */
export function fromRecord(record: WorkerRecord): Worker {
  return {
    name: record.name,
    project: record.project,
    id: record.container ?? '',
    request: record.request,
    state: record.end ? 'ended' : 'lost',
    ...endOf(record),
    image: record.image,
    command: record.command,
    io: record.io,
    createdAt: iso(record.createdAt),
    startedAt: isoOrNull(record.readyAt),
    limits: record.limits,
    timeout: record.timeout,
    onNetworkLoss: record.onNetworkLoss,
    attached: 0,
    conditions: [],
  }
}

type EndFields = Pick<Worker, 'reason' | 'exitCode' | 'signal' | 'endedAt' | 'oomKills' | 'pidsLimitHits'>

function endOf(record: WorkerRecord | undefined): EndFields {
  const end = record?.end
  return {
    reason: end?.reason ?? null,
    exitCode: end?.exitCode ?? null,
    signal: end?.signal ?? null,
    endedAt: end?.endedAt ?? null,
    oomKills: end?.oomKills ?? null,
    pidsLimitHits: end?.pidsLimitHits ?? null,
  }
}

function conditionsOf(container: WorkerContainer, record: WorkerRecord | undefined, now: number): Condition[] {
  // What has ended has only its record to be written yet, or is told by it.
  if (record === undefined || record.end !== null || !isAlive(container.state)) return []
  const { networkLostAt, limitHitAt, stop } = record
  return [
    ...(networkLostAt === null ? [] : ['network-lost' as const]),
    ...(limitHitAt === null && stop?.reason !== 'timeout' ? [] : ['limit-hit' as const]),
    ...(stop === null || now <= stop.at + stop.grace * 1000 ? [] : ['stopping-late' as const]),
  ]
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

function isoOrNull(milliseconds: number | null | undefined): string | null {
  return milliseconds === null || milliseconds === undefined ? null : iso(milliseconds)
}
