import { ContainerId, InstanceName, ProjectPath, RequestId, WorkerName } from '../contract/names.ts'
import type { ExitRecord } from '../contract/worker.ts'
import { type WorkerContainer, workerLabels } from './container.ts'
import { containerName } from './project-hash.ts'
import type { SpawnOrder } from './spawn-order.ts'
import { newRecord, type WorkerRecord } from './worker-record.ts'

/** The moment at which tests take place. Milliseconds since the epoch. */
export const NOW = Date.parse('2026-03-01T12:00:00.000Z')

export const INSTANCE = InstanceName.parse('hal9000')
export const LIMITS = { memory: 2 ** 30, cpus: 1, pids: 100 }

/** A container's id that begins with `start`, hexadecimal. */
export function containerId(start: string): ContainerId {
  return ContainerId.parse(start.padEnd(64, '0'))
}

export function requestId(text: string): RequestId {
  return RequestId.parse(text.padEnd(8, '0'))
}

/** A worker's container, running since a minute. */
export function aContainer(name = 'w1', fields: Partial<WorkerContainer> = {}): WorkerContainer {
  const worker = fields.worker ?? WorkerName.parse(name)
  const project = fields.project ?? ProjectPath.parse('/home/me/proj')
  const request = fields.request ?? requestId(`r-${name.toLowerCase()}`)
  const spec = fields.spec ?? { limits: LIMITS, remove: true, io: 'session', onNetworkLoss: 'keep' }
  return {
    id: containerId('3f2a'),
    name: containerName(INSTANCE, project, worker),
    image: 'hal9000/worker:0.1.0',
    state: 'running',
    labels: workerLabels(INSTANCE, { worker, project, request, spec }),
    createdAt: NOW - 60_000,
    networkOwner: containerId('0e7'),
    worker,
    project,
    request,
    spec,
    ...fields,
  }
}

/** The record of a worker that became ready a minute ago. */
export function aRecord(name = 'w1', fields: Partial<WorkerRecord> = {}): WorkerRecord {
  return {
    ...newRecord({
      request: requestId(`r-${name.toLowerCase()}`),
      name: WorkerName.parse(name),
      project: ProjectPath.parse('/home/me/proj'),
      image: 'hal9000/worker:0.1.0',
      command: ['sleep', '60'],
      io: 'session',
      limits: LIMITS,
      remove: true,
      onNetworkLoss: 'keep',
      uid: 1000,
      gid: 1000,
      createdAt: NOW - 60_000,
      timeout: null,
    }),
    container: containerId('3f2a'),
    readyAt: NOW - 60_000,
    ...fields,
  }
}

/** The exit record of a worker that ended well 12 seconds ago. */
export function anEnd(fields: Partial<ExitRecord> = {}): ExitRecord {
  return {
    reason: 'exited',
    exitCode: 0,
    signal: null,
    startedAt: new Date(NOW - 60_000).toISOString(),
    endedAt: new Date(NOW - 12_000).toISOString(),
    oomKilled: false,
    oomKills: 0,
    pidsLimitHits: 0,
    message: null,
    log: 'w1.log',
    logCut: false,
    logBytes: 0,
    ...fields,
  }
}

/** An order for a worker in a session. */
export function anOrder(name = 'w1', fields: Partial<SpawnOrder> = {}): SpawnOrder {
  return {
    request: requestId(`r-${name.toLowerCase()}`),
    name: WorkerName.parse(name),
    project: { path: ProjectPath.parse('/home/me/proj'), uid: 1000, gid: 1000, identity: '66306:42' },
    image: 'hal9000/worker:0.1.0',
    command: ['sleep', '60'],
    io: 'session',
    remove: true,
    replace: false,
    limits: LIMITS,
    env: {},
    secrets: {},
    input: null,
    timeout: null,
    onNetworkLoss: 'keep',
    size: { columns: 80, rows: 24 },
    term: 'xterm-256color',
    receivedAt: NOW,
    waitUntil: NOW + 60_000,
    notices: [],
    ...fields,
  }
}
