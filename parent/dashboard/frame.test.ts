import { expect, test } from 'vitest'
import type { Status, Worker } from '../../coordinator/contract/worker.ts'
import { width } from '../cli/text/width.ts'
import { frame, type View } from './frame.ts'

const DEGRADED = { state: 'degraded', ready: false } as const

const now = Date.parse('2030-01-31T12:00:10Z')

test('a frame has a header with instance, readiness, counts and clock, then the table', () => {
  expect(frame(view(1), { columns: 80, rows: 10, now, colour: false })).toEqual([
    'hal9000  ready  1 running                                          12:00:10 UTC',
    'NAME  STATE    PROJECT  COMMAND    UP/ENDED  LIMITS    ATTACHED',
    'w0    running  /p       sleep 600  10 s      4g/2/100  -',
  ])
})

test('workers that do not fit are counted, and the frame never has more lines than the pane', () => {
  for (const rows of [1, 2, 3, 4, 10]) {
    expect(frame(view(30), { columns: 80, rows, now, colour: false }).length).toBeLessThanOrEqual(rows)
  }
  const lines = frame(view(30), { columns: 80, rows: 10, now, colour: false })
  expect(lines.slice(8)).toEqual([
    'w6    running  /p       sleep 600  10 s      4g/2/100  -',
    '… and 23 more (coordinator list)',
  ])
})

test('exactly as many workers as there is room for are all shown', () => {
  const lines = frame(view(8), { columns: 80, rows: 10, now, colour: false })
  expect(lines).toHaveLength(10)
  expect(lines.at(-1)).toContain('w7')
})

test('no line reaches the last column', () => {
  for (const columns of [10, 20, 40, 80]) {
    for (const line of frame(view(3), { columns, rows: 10, now, colour: false })) {
      expect(width(line)).toBeLessThan(columns)
    }
  }
})

test('without the coordinator the header says so, and the workers last seen stay', () => {
  const lines = frame(
    { ...view(1), trouble: 'the coordinator is not reachable, retrying' },
    { columns: 80, rows: 10, now, colour: false },
  )
  expect(lines[0]).toContain('hal9000  the coordinator is not reachable, retrying')
  expect(lines[2]).toContain('w0')
})

test('without workers it says how to start one, unless nothing is known of them', () => {
  expect(frame(view(0), { columns: 80, rows: 10, now, colour: false })[1]).toContain('No workers.')
  const away = { ...view(0), trouble: 'the coordinator is not reachable, retrying' }
  expect(frame(away, { columns: 80, rows: 10, now, colour: false })[1]).toBe('')
})

test('without the engine it does not claim that there are no workers', () => {
  const [header, body] = frame(
    view(0, { ...DEGRADED, problems: ['the engine is away'], workers: null, conditions: null }),
    {
      columns: 100,
      rows: 10,
      now,
      colour: false,
    },
  )
  expect(header).toContain('degraded: the engine is away  workers not known')
  expect(body).toBe('')
})

test('what keeps it from being ready stands in the header, in red where colours are shown', () => {
  const [header] = frame(view(0, { ...DEGRADED, problems: ['the engine does not answer'] }), {
    columns: 80,
    rows: 10,
    now,
    colour: true,
  })
  expect(header).toMatch(/^\u001b\[1;31mhal9000 {2}degraded: the engine does not answer {2}no workers .*\u001b\[0m$/)
})

function view(count: number, status: Partial<Status> = {}): View {
  return {
    status: {
      instance: 'hal9000',
      version: '0.1.0',
      state: 'ready',
      ready: true,
      problems: [],
      notices: [],
      engine: null,
      network: 'holder',
      projectRoots: ['/'],
      workers: { queued: 0, creating: 0, starting: 0, running: count, paused: 0, stopping: 0, lost: 0, ended: 4 },
      conditions: { 'network-lost': 0, 'limit-hit': 0, 'needs-input': 0, 'stopping-late': 0 },
      queue: { waiting: 0, active: 0, maxWorkers: 0 },
      startedAt: '2030-01-31T12:00:00Z',
      startup: {},
      ...status,
    },
    workers: Array.from({ length: count }, (_, index) => worker(`w${index}`)),
    trouble: null,
  }
}

function worker(name: string): Worker {
  return {
    name,
    project: '/p',
    id: 'a'.repeat(64),
    request: 'r1234567',
    state: 'running',
    reason: null,
    exitCode: null,
    signal: null,
    image: 'i',
    command: ['sleep', '600'],
    io: 'session',
    createdAt: '2030-01-31T12:00:00Z',
    startedAt: '2030-01-31T12:00:00Z',
    endedAt: null,
    timeout: null,
    onNetworkLoss: 'keep',
    oomKills: null,
    pidsLimitHits: null,
    limits: { memory: 4 * 2 ** 30, cpus: 2, pids: 100 },
    attached: 0,
    conditions: [],
  }
}
