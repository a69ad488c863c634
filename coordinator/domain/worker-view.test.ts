import { describe, expect, test } from 'vitest'
import type { Worker } from '../contract/worker.ts'
import { aContainer, anEnd, anOrder, aRecord, LIMITS, NOW, requestId } from './testing.ts'
import { WorkerRecord } from './worker-record.ts'
import { workersOf, type World } from './worker-view.ts'

function view(world: Partial<World>): Worker[] {
  return workersOf({ containers: [], records: [], underway: [], attached: new Map(), now: NOW, ...world })
}

test('a worker that runs is shown whole', () => {
  expect(view({ containers: [aContainer()], records: [aRecord()], attached: new Map([['r-w10000', 2]]) })).toEqual([
    {
      name: 'w1',
      project: '/home/me/proj',
      id: aContainer().id,
      request: 'r-w10000',
      state: 'running',
      reason: null,
      exitCode: null,
      signal: null,
      image: 'hal9000/worker:0.1.0',
      command: ['sleep', '60'],
      io: 'session',
      createdAt: '2026-03-01T11:59:00.000Z',
      startedAt: '2026-03-01T11:59:00.000Z',
      endedAt: null,
      limits: LIMITS,
      timeout: null,
      onNetworkLoss: 'keep',
      oomKills: null,
      pidsLimitHits: null,
      attached: 2,
      conditions: [],
    },
  ])
})

describe('the state of a worker', () => {
  const container = aContainer()
  const record = aRecord()
  const stop = { reason: 'stopped' as const, at: NOW, grace: 10 }

  test.each<[string, Partial<World>, Partial<Worker>]>([
    ['its container alone', { containers: [container] }, { state: 'running', command: [], startedAt: null }],
    [
      'a record that is not ready',
      { containers: [container], records: [aRecord('w1', { readyAt: null })] },
      { state: 'starting' },
    ],
    [
      'a spawn that has its container',
      { containers: [container], underway: [{ order: anOrder(), state: 'starting' }] },
      { state: 'starting', command: ['sleep', '60'] },
    ],
    [
      'a paused container',
      { containers: [aContainer('w1', { state: 'paused' })], records: [record] },
      { state: 'paused' },
    ],
    ['a stop', { containers: [container], records: [aRecord('w1', { stop })] }, { state: 'stopping', conditions: [] }],
    [
      'a stop for time',
      { containers: [container], records: [aRecord('w1', { stop: { ...stop, reason: 'timeout' } })] },
      { state: 'stopping', conditions: ['limit-hit'] },
    ],
    [
      'an end that is recorded, and a container that is kept',
      {
        containers: [aContainer('w1', { state: 'exited' })],
        records: [aRecord('w1', { end: anEnd({ exitCode: 3 }) })],
      },
      { state: 'ended', reason: 'exited', exitCode: 3, endedAt: '2026-03-01T11:59:48.000Z' },
    ],
    [
      'an end without a container',
      { records: [aRecord('w1', { end: anEnd({ signal: 'TERM' }) })] },
      { state: 'ended', signal: 'TERM' },
    ],
    ['a record without end or container', { records: [aRecord('w1', { container: null })] }, { state: 'lost', id: '' }],
    [
      'a spawn in the queue',
      { underway: [{ order: anOrder(), state: 'queued' }] },
      { state: 'queued', id: '', startedAt: null },
    ],
  ])('comes from %s', (_what, world, expected) => {
    const workers = view(world)
    expect(workers).toHaveLength(1)
    expect(workers[0]).toMatchObject(expected)
  })
})

describe('the conditions of a worker', () => {
  const stop = { reason: 'stopped' as const, at: NOW - 10_000, grace: 10 }
  const late = { ...stop, at: NOW - 10_001 }

  test.each<[string, Partial<WorkerRecord>, Worker['conditions']]>([
    ['nothing has befallen it', {}, []],
    ['its network is lost', { networkLostAt: NOW }, ['network-lost']],
    ['memory was short', { limitHitAt: NOW }, ['limit-hit']],
    ['its time is over', { stop: { ...stop, reason: 'timeout' } }, ['limit-hit']],
    ['the grace of a stop is not over', { stop }, []],
    ['the grace of a stop is over', { stop: late }, ['stopping-late']],
    [
      'all of that has',
      { networkLostAt: NOW, limitHitAt: NOW, stop: late },
      ['network-lost', 'limit-hit', 'stopping-late'],
    ],
  ])('while it runs and %s', (_what, fields, conditions) => {
    expect(view({ containers: [aContainer()], records: [aRecord('w1', fields)] })).toMatchObject([{ conditions }])
  })

  test('are none once its processes are gone, and once it has ended', () => {
    const fields = { networkLostAt: NOW, limitHitAt: NOW, stop: late }
    const exited = [aContainer('w1', { state: 'exited' })]
    expect(view({ containers: exited, records: [aRecord('w1', fields)] })).toMatchObject([{ conditions: [] }])
    const records = [aRecord('w1', { ...fields, end: anEnd({ oomKills: 2, pidsLimitHits: 3 }) })]
    expect(view({ containers: [aContainer()], records })).toMatchObject([
      { conditions: [], oomKills: 2, pidsLimitHits: 3 },
    ])
  })
})

test('one worker is shown once, however many know of it', () => {
  const underway = [{ order: anOrder(), state: 'creating' as const }]
  expect(view({ containers: [aContainer()], records: [aRecord()], underway })).toHaveLength(1)
  expect(view({ records: [aRecord('w1', { readyAt: null })], underway })).toMatchObject([{ state: 'creating' }])
})

test('workers come oldest first, and by name when they are of one age', () => {
  const records = [
    aRecord('young', { createdAt: NOW }),
    aRecord('b', { createdAt: 5 }),
    aRecord('a', { createdAt: 5, request: requestId('r-zzz') }),
  ]
  const containers = [aContainer('old', { createdAt: 1 })]
  expect(view({ records, containers }).map(({ name }) => name)).toEqual(['old', 'a', 'b', 'young'])
})

test('a record keeps its form through a file, and one of another schema is refused', () => {
  const record = aRecord('w1', { end: anEnd(), stop: { reason: 'stopped', at: 1, grace: 2 } })
  expect(WorkerRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record)
  expect(WorkerRecord.safeParse({ ...record, schema: 2 }).success).toBe(false)
})
