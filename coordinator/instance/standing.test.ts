import { describe, expect, test } from 'vitest'
import type { Owner } from '../contract/owner.ts'
import { type Facts, judge, type Service } from './standing.ts'

const NOW = Date.parse('2030-01-01T01:00:00.000Z')
const OWNER: Owner = {
  instance: 'hal9000',
  epoch: 7,
  pid: 123,
  startTime: 456,
  bootId: '382d16f7-10ad-4759-bd06-eb633bddf085',
  pidNamespace: 'pid:[4026532953]',
  startedAt: '2030-01-01T00:00:00.000Z',
  version: '0.1.0',
}
const YOUNG = { ...OWNER, startedAt: '2030-01-01T00:59:50.000Z' }
const UP: Service = { up: true, wanted: true, held: false, pid: 123, claim: 'held', lastEnd: null, since: 3_600_000 }
const DOWN: Service = { ...UP, up: false, wanted: false, pid: null, claim: 'none', since: 1_000 }

/** A coordinator that is well, changed as the test wants it. */
function facts(change: Partial<Facts>): Facts {
  return {
    instance: 'hal9000',
    lock: 'held',
    record: { found: 'owner', owner: OWNER },
    process: { seen: 'alive', claim: 'held' },
    handshake: { answer: 'owner', owner: OWNER },
    service: UP,
    now: NOW,
    ...change,
  }
}

const SILENT = { handshake: { answer: 'silent' } } as const
const NOBODY = { handshake: { answer: 'nobody' } } as const
const FREE = { lock: 'free', ...NOBODY } as const
const NO_RECORD = { record: { found: 'nothing' }, process: null } as const
const young = { record: { found: 'owner', owner: YOUNG } } as const
const gone = { process: { seen: 'gone', claim: 'none' } } as const

const told = (change: Partial<Facts>): string => {
  const { state, because, owner } = judge(facts(change))
  return `${state}: ${because}${owner === null ? '' : ` (process ${owner.pid})`}`
}

describe('one that answers', () => {
  test.each<[Partial<Facts>, string]>([
    [{}, 'healthy: it holds the lock and answers (process 123)'],
    [
      { record: { found: 'damage', because: 'is a fifo' }, process: null },
      'healthy: it holds the lock and answers (process 123)',
    ],
    [
      { service: { ...UP, pid: 99 } },
      'healthy: it holds the lock and answers, but the supervisor did not start it (process 123)',
    ],
    [{ lock: 'missing' }, 'stale: it answers, but its lock file is gone: it will end (process 123)'],
    [{ instance: 'other' }, 'foreign: the coordinator of the instance "hal9000" answers here (process 123)'],
  ])('%#', (change, text) => expect(told(change)).toBe(text))
})

describe('one that holds the lock and does not answer', () => {
  test.each<[Partial<Facts>, string]>([
    [SILENT, 'wedged: it holds the lock and accepts connections, but does not answer (process 123)'],
    [NOBODY, 'wedged: it holds the lock, but listens no more (process 123)'],
    [
      { ...SILENT, process: { seen: 'stopped', claim: 'held' } },
      'wedged: its process is stopped by a signal (process 123)',
    ],
    [
      { ...SILENT, ...young, process: { seen: 'stopped', claim: 'held' } },
      'wedged: its process is stopped by a signal (process 123)',
    ],
    [{ ...NOBODY, ...young }, 'starting: it does not answer yet (process 123)'],
    [{ ...NOBODY, ...young, now: NOW - 60_000 }, 'wedged: it holds the lock, but listens no more (process 123)'],
    [{ ...NOBODY, ...NO_RECORD, service: { ...UP, since: 1_000 } }, 'starting: it has just been started'],
    [{ ...NOBODY, ...NO_RECORD }, 'wedged: process 123 of the service holds the lock and is silent'],
  ])('%#', (change, text) => expect(told(change)).toBe(text))
})

describe('a lock that is held by nobody who is known', () => {
  const stranger = { ...NOBODY, service: { ...UP, claim: 'none' } } as const
  test.each<[Partial<Facts>, string]>([
    [{ ...stranger, ...NO_RECORD }, 'foreign: somebody holds the lock and left no record'],
    [
      { ...stranger, record: { found: 'damage', because: 'is a fifo' }, process: null },
      'foreign: somebody holds the lock, and the owner record is a fifo',
    ],
    [{ ...stranger, ...gone }, 'foreign: somebody holds the lock, and process 123 of the record is gone'],
    [
      { ...stranger, process: { seen: 'another', claim: 'none' } },
      'foreign: somebody holds the lock, and process 123 of the record is gone',
    ],
    [
      { ...stranger, process: { seen: 'alive', claim: 'none' } },
      'foreign: somebody holds the lock, and it is not process 123 of the record',
    ],
    [
      { ...stranger, process: { seen: 'elsewhere', claim: 'none' } },
      'foreign: process 123 of another container, or of another boot, is recorded as holder',
    ],
    [{ ...stranger, instance: 'other' }, 'foreign: the instance "hal9000" holds this state directory (process 123)'],
  ])('%#', (change, text) => expect(told(change)).toBe(text))
})

describe('where nobody holds the lock', () => {
  test.each<[Partial<Facts>, string]>([
    [
      { ...FREE, ...NO_RECORD, service: { ...DOWN, held: true } },
      'absent: it was stopped and is kept down until it is started',
    ],
    [{ ...FREE, ...NO_RECORD, service: null }, 'absent: there is no supervisor here'],
    [
      { ...FREE, ...NO_RECORD, service: { ...DOWN, lastEnd: 'exit code 10' } },
      'absent: it ended with exit code 10 and is not started again',
    ],
    [{ ...FREE, ...NO_RECORD, lock: 'missing', service: DOWN }, 'absent: nobody ever was'],
    [{ ...FREE, ...NO_RECORD, service: { ...UP, since: 500 } }, 'starting: it has just been started'],
    [
      { ...FREE, ...gone, service: { ...DOWN, wanted: true, lastEnd: 'SIGKILL' } },
      'starting: the supervisor starts it: the last one ended with SIGKILL',
    ],
    [{ ...FREE, ...gone, service: DOWN }, 'stale: process 123 of the record ended without removing it (process 123)'],
    [
      { ...FREE, process: { seen: 'elsewhere', claim: 'none' }, service: DOWN },
      'stale: process 123 of the record ended without removing it (process 123)',
    ],
    [
      { ...FREE, ...gone, service: { ...DOWN, lastEnd: 'exit code 10' } },
      'stale: process 123 of the record ended with exit code 10 and is not started again (process 123)',
    ],
    [
      { ...FREE, process: { seen: 'stopped', claim: 'lost' } },
      'stale: process 123 holds a lock file that was removed (process 123)',
    ],
    [
      { ...FREE, record: { found: 'damage', because: 'is a fifo' }, process: null, service: DOWN },
      'stale: the owner record is a fifo',
    ],
    [
      { ...SILENT, lock: 'missing', ...NO_RECORD },
      'wedged: process 123 of the service neither holds the lock nor answers',
    ],
  ])('%#', (change, text) => expect(told(change)).toBe(text))
})
