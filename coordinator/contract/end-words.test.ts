import { describe, expect, test } from 'vitest'
import { howItEnded, limitsMet } from './end-words.ts'
import type { ExitRecord, Limits } from './worker.ts'

const EXIT: ExitRecord = {
  reason: 'exited',
  exitCode: 0,
  signal: null,
  startedAt: null,
  endedAt: '2030-01-01T00:00:00.000Z',
  oomKilled: false,
  oomKills: 0,
  pidsLimitHits: 0,
  message: null,
  log: null,
  logCut: false,
  logBytes: 0,
}
const LIMITS: Limits = { memory: 512 * 2 ** 20, cpus: 1, pids: 100 }
const NO_LIMITS: Limits = { memory: null, cpus: null, pids: null }

test.each<[Partial<ExitRecord> | null, string]>([
  [{}, 'the command ended (exit code 0)'],
  [{ exitCode: 139, signal: 'SEGV' }, 'a signal ended the command (exit code 139, signal SEGV)'],
  [{ reason: 'oom', exitCode: 137, signal: 'KILL' }, 'it ran out of memory (exit code 137, signal KILL)'],
  [{ reason: 'stopped', exitCode: 143, signal: 'TERM' }, 'it was stopped (exit code 143, signal TERM)'],
  [{ reason: 'timeout', exitCode: 0 }, 'its time was over (exit code 0)'],
  [{ reason: 'network-lost', exitCode: 1 }, 'its network was lost (exit code 1)'],
  [{ reason: 'failed', exitCode: null }, 'it failed (its exit code is not known)'],
  [null, 'nothing is recorded of its end'],
])('an end in words: %j', (exit, words) => {
  expect(howItEnded(exit && { ...EXIT, ...exit })).toBe(words)
})

describe('the limits that were met', () => {
  const met = (exit: Partial<ExitRecord>, limits = LIMITS, timeout: number | null = null): string[] =>
    limitsMet({ limits, timeout }, { ...EXIT, ...exit })

  test('are none where none was', () => {
    expect(met({})).toEqual([])
    expect(met({ oomKills: null, pidsLimitHits: null }, LIMITS, 60_000)).toEqual([])
  })

  test.each<[Partial<ExitRecord>, string]>([
    [
      { oomKilled: true, oomKills: 3 },
      '3 processes were killed for want of memory (limit 512 MiB); raise it with --memory.',
    ],
    [
      { oomKilled: true, oomKills: 1 },
      '1 process was killed for want of memory (limit 512 MiB); raise it with --memory.',
    ],
    [{ oomKills: 1 }, '1 process was killed for want of memory (limit 512 MiB); raise it with --memory.'],
    [
      { oomKilled: true, oomKills: null },
      'Processes were killed for want of memory (limit 512 MiB); raise it with --memory.',
    ],
    [{ pidsLimitHits: 12 }, 'The process limit of 100 refused 12 new processes; raise it with --pids-limit.'],
    [{ pidsLimitHits: 1 }, 'The process limit of 100 refused 1 new process; raise it with --pids-limit.'],
  ])('are counted, with the option that raises them: %j', (exit, sentence) => {
    expect(met(exit)).toEqual([sentence])
  })

  test.each([
    [500, 'Its time limit was 0.5 s; raise it with --timeout.'],
    [600_000, 'Its time limit was 10 m; raise it with --timeout.'],
  ])('a time of %d ms is one when it is why it ended', (timeout, sentence) => {
    expect(met({ reason: 'timeout' }, LIMITS, timeout)).toEqual([sentence])
  })

  test('without a limit of the worker’s own it was the host’s', () => {
    expect(met({ oomKilled: true, oomKills: 2, pidsLimitHits: 4 }, NO_LIMITS)).toEqual([
      '2 processes were killed for want of memory: the host had no more.',
      'A process limit of the host refused 4 new processes.',
    ])
  })
})
