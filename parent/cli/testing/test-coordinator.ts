import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { FailureShape } from '../../../coordinator/contract/failure.ts'
import type { WorkerStats } from '../../../coordinator/contract/stats.ts'
import type { ExitRecord, Worker, WorkerDetail } from '../../../coordinator/contract/worker.ts'

/** `body` is the parsed JSON, null without one. */
export type Seen = { method: string; path: string; query: URLSearchParams; body: Record<string, unknown> | null }
export type Answer = (seen: Seen, response: ServerResponse) => unknown
export type Upgrade = (seen: Seen, socket: Duplex) => void

export type TestCoordinator = AsyncDisposable & {
  socketPath: string
  seen: Seen[]
  /** Stops listening and drops every connection; the socket's path stays free for another. */
  close: () => Promise<void>
}

/** A real HTTP server on a real unix socket that answers as the test says. */
export async function testCoordinator(answer: Answer, upgrade?: Upgrade, at?: string): Promise<TestCoordinator> {
  const directory = at === undefined ? await mkdtemp(join(tmpdir(), 'hal9000-cli-')) : undefined
  const socketPath = at ?? join(directory ?? '', 'control.sock')
  const seen: Seen[] = []
  const sockets: Duplex[] = []
  const server = createServer((request, response) => {
    void read(request).then((one) => {
      seen.push(one)
      return answer(one, response)
    })
  })
  if (upgrade) {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => {})
      const one = parse(request, '')
      seen.push(one)
      sockets.push(socket)
      upgrade(one, socket)
    })
  }
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
      // Upgraded connections are no longer the server's.
      for (const socket of sockets) socket.destroy()
    })
  return {
    socketPath,
    seen,
    close,
    [Symbol.asyncDispose]: async () => {
      await close()
      if (directory !== undefined) await rm(directory, { recursive: true })
    },
  }
}

export function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ schemaVersion: 1, ...body }))
}

export function refuse(response: ServerResponse, status: number, error: FailureShape): void {
  json(response, { error }, status)
}

export const NOT_READY: FailureShape = { code: 'not-ready', exitCode: 4, message: 'Redis is not there yet.' }

/** A running worker of a session, changed as the test wants it. */
export function worker(change: Partial<Worker> = {}): Worker {
  return {
    name: 'w1',
    project: '/proj',
    id: 'ab'.repeat(32),
    request: 'r-request-1',
    state: 'running',
    reason: null,
    exitCode: null,
    signal: null,
    image: 'hal9000/worker:1',
    command: ['sleep', '9'],
    io: 'session',
    createdAt: '2030-01-01T00:00:00.000Z',
    startedAt: '2030-01-01T00:00:01.000Z',
    endedAt: null,
    timeout: null,
    onNetworkLoss: 'keep',
    oomKills: null,
    pidsLimitHits: null,
    limits: { memory: 4 * 2 ** 30, cpus: 2, pids: 100 },
    attached: 0,
    conditions: [],
    ...change,
  }
}

/** What such a worker uses. */
export function workerStats(change: Partial<WorkerStats> = {}): WorkerStats {
  const { name, project, id, request } = worker()
  return {
    name,
    project,
    id,
    request,
    cpu: { cores: 0.523, limit: 2 },
    memory: { bytes: 120 * 2 ** 20, limit: 4 * 2 ** 30 },
    processes: { current: 7, limit: 100 },
    ...change,
  }
}

/** The detail of a worker that ended with a code. */
export function endedDetail(exitCode: number | null, change: Partial<ExitRecord> = {}): WorkerDetail {
  return {
    worker: worker({
      state: 'ended',
      reason: change.reason ?? 'exited',
      exitCode,
      endedAt: '2030-01-01T00:01:00.000Z',
    }),
    exit: {
      reason: 'exited',
      exitCode,
      signal: null,
      startedAt: '2030-01-01T00:00:01.000Z',
      endedAt: '2030-01-01T00:01:00.000Z',
      oomKilled: false,
      oomKills: 0,
      pidsLimitHits: 0,
      message: null,
      log: 'w1-r-request-1.log',
      logCut: false,
      logBytes: 0,
      ...change,
    },
  }
}

async function read(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return parse(request, Buffer.concat(chunks).toString('utf8'))
}

function parse(request: IncomingMessage, text: string): Seen {
  const url = new URL(request.url ?? '/', 'http://coordinator')
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    body: text === '' ? null : JSON.parse(text),
  }
}
