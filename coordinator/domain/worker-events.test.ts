import { describe, expect, test } from 'vitest'
import { anEnd, aRecord, NOW } from './testing.ts'
import { endedEvent, type KeptEvent, readyEvent, untold } from './worker-events.ts'
import type { WorkerRecord } from './worker-record.ts'

describe('an end as an event', () => {
  test('has its facts, and says what wait and inspect say', () => {
    const end = anEnd({
      reason: 'oom',
      exitCode: 137,
      signal: 'KILL',
      oomKilled: true,
      oomKills: 2,
      message: 'So it was.',
    })
    expect(endedEvent({ ...aRecord(), end })).toEqual({
      kind: 'worker-ended',
      worker: 'w1',
      project: '/home/me/proj',
      request: 'r-w10000',
      message:
        'it ran out of memory (exit code 137, signal KILL). So it was. ' +
        '2 processes were killed for want of memory (limit 1 GiB); raise it with --memory',
      exit: { reason: 'oom', exitCode: 137, signal: 'KILL', oomKills: 2, pidsLimitHits: 0 },
    })
  })
})

/** What is owed, in a line each: time, kind, worker. */
function owed(records: WorkerRecord[], kept: KeptEvent[]): string[] {
  return untold(records, kept).map(({ at, kind, worker }) => `${at?.slice(11, 23)} ${kind} ${worker}`)
}

/** The log began an hour before NOW, with something else. */
const BEGINNING: KeptEvent = { id: `${NOW - 3_600_000}-0`, kind: 'coordinator-started', request: null }
const kept = (kind: KeptEvent['kind'], name: string): KeptEvent => ({
  id: `${NOW - 50_000}-3`,
  kind,
  request: aRecord(name).request,
})
const ran = (name = 'w1', fields: Partial<WorkerRecord> = {}): WorkerRecord =>
  aRecord(name, { end: anEnd(), endWrittenAt: NOW - 10_000, ...fields })

describe('what a coordinator that died still owes', () => {
  test('is nothing where all was told', () => {
    expect(owed([ran()], [BEGINNING, kept('worker-ready', 'w1'), kept('worker-ended', 'w1')])).toEqual([])
    expect(owed([aRecord()], [BEGINNING, kept('worker-ready', 'w1')])).toEqual([])
    expect(owed([aRecord('w1', { readyAt: null })], [BEGINNING])).toEqual([])
  })

  test('is what was written and not told, in the order in which it happened', () => {
    const records = [ran('w1'), ran('w2', { readyAt: NOW - 40_000, endWrittenAt: NOW - 5_000 }), aRecord('w3')]
    expect(owed(records, [BEGINNING, kept('worker-ready', 'w1'), kept('worker-ended', 'w3')])).toEqual([
      '11:59:00.000 worker-ready w3',
      '11:59:20.000 worker-ready w2',
      '11:59:50.000 worker-ended w1',
      '11:59:55.000 worker-ended w2',
    ])
  })

  test('is told as it would have been then', () => {
    expect(untold([ran()], [BEGINNING])).toEqual([
      { ...readyEvent(ran(), 'ready'), at: '2026-03-01T11:59:00.000Z' },
      { ...endedEvent({ ...ran(), end: anEnd() }), at: '2026-03-01T11:59:50.000Z' },
    ])
  })

  test('is nothing where the log is empty: it began anew', () => {
    expect(owed([ran(), ran('w2')], [])).toEqual([])
  })

  test('is nothing from before the oldest event that is kept: the log was trimmed, or began anew then', () => {
    const oldest: KeptEvent = { ...BEGINNING, id: `${NOW - 20_000}-7` }
    // Ready a minute ago, before the log's beginning; its end was written after it.
    expect(owed([ran()], [oldest])).toEqual(['11:59:50.000 worker-ended w1'])
    expect(owed([ran('w1', { endWrittenAt: NOW - 20_000 })], [oldest])).toEqual([])
  })

  test('goes by when an end was written, not when it came: nobody may have looked for hours', () => {
    const long = ran('w1', { end: anEnd({ endedAt: new Date(NOW - 9_000_000).toISOString() }) })
    expect(owed([long], [BEGINNING, kept('worker-ready', 'w1')])).toEqual(['11:59:50.000 worker-ended w1'])
  })

  test('of a record that does not say when its end was written, goes by when it came', () => {
    expect(owed([ran('w1', { endWrittenAt: null })], [BEGINNING, kept('worker-ready', 'w1')])).toEqual([
      '11:59:48.000 worker-ended w1',
    ])
  })
})
