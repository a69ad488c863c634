import { describe, expect, test } from 'vitest'
import type { EndReason } from '../contract/worker.ts'
import { type Ended, exitRecord, unseenEnd } from './exit.ts'
import { aRecord, NOW } from './testing.ts'
import type { WorkerRecord } from './worker-record.ts'
import type { Said } from './worker-says.ts'

const ENDED: Ended = {
  exitCode: 0,
  oomKilled: false,
  startedAt: '2026-03-01T11:00:00.000Z',
  endedAt: '2026-03-01T12:00:00.000Z',
  error: '',
}
const LOG = { name: 'w1.log', entries: 3, bytes: 120 }
const READY: Said = { said: 'ready' }

function final(exitCode: number, signal: string | null = null, oomKills = 0): Said {
  return { said: 'ended', exitCode, signal, oomKills, pidsLimitHits: 2 }
}

function refused(word: string): Said {
  return { said: 'refused', word, message: `because of ${word}` }
}

function stopFor(reason: EndReason): WorkerRecord['stop'] {
  return { reason, at: NOW, grace: 10 }
}

/** What, the engine's facts, the worker's words, what was asked → reason, exit code, signal. */
type Case = [string, Partial<Ended>, Said[], EndReason | undefined, string]

test.each<Case>([
  ['ended well', {}, [READY, final(0)], undefined, 'exited 0 null'],
  ['failed', { exitCode: 7 }, [READY, final(7)], undefined, 'exited 7 null'],
  ['exited with the number of a signal', { exitCode: 130 }, [READY, final(130)], undefined, 'exited 130 null'],
  ['was killed by a signal of its own', { exitCode: 139 }, [READY, final(139, 'SEGV')], undefined, 'exited 139 SEGV'],
  ['killed itself', { exitCode: 137 }, [READY, final(137, 'KILL')], undefined, 'exited 137 KILL'],
  ['was stopped', { exitCode: 143 }, [READY, final(143, 'TERM')], 'stopped', 'stopped 143 TERM'],
  ['was stopped and ended well', {}, [READY, final(0)], 'stopped', 'stopped 0 null'],
  ['was killed after its grace', { exitCode: 137 }, [READY], 'stopped', 'stopped 137 KILL'],
  ['ran out of time', { exitCode: 143 }, [READY, final(143, 'TERM')], 'timeout', 'timeout 143 TERM'],
  ['was killed for memory', { exitCode: 137, oomKilled: true }, [READY, final(137, 'KILL')], undefined, 'oom 137 KILL'],
  ['lost only a child for memory', { oomKilled: true }, [READY, final(0)], undefined, 'exited 0 null'],
  ['was killed by nobody here', { exitCode: 137 }, [READY], undefined, 'engine-stopped 137 KILL'],
  ['was lost with its engine', { exitCode: 255 }, [READY], undefined, 'engine-stopped 255 null'],
  ['was never assigned', { exitCode: 125 }, [refused('never-assigned')], undefined, 'never-assigned null null'],
  ['has no such command', { exitCode: 127 }, [refused('command-not-found')], undefined, 'failed 127 null'],
  ['the engine could not start', { exitCode: 128, error: 'no such network' }, [], undefined, 'failed 128 null'],
])('a worker that %s', (_what, ended, said, asked, expected) => {
  const stop = asked === undefined ? null : stopFor(asked)
  const { reason, exitCode, signal } = exitRecord({ ...ENDED, ...ended }, said, stop, LOG)
  expect(`${reason} ${exitCode} ${signal}`).toBe(expected)
})

describe('what a command prints in the worker’s own words', () => {
  test('does not change the exit code', () => {
    expect(exitRecord({ ...ENDED, exitCode: 3 }, [READY, final(0), final(3)], null, LOG)).toMatchObject({
      exitCode: 3,
      reason: 'exited',
    })
    expect(exitRecord({ ...ENDED, exitCode: 3 }, [READY, final(0)], null, LOG)).toMatchObject({
      exitCode: 3,
      reason: 'exited',
    })
  })

  test('does not make a refusal of a command that ran', () => {
    const record = exitRecord(ENDED, [READY, refused('never-assigned'), final(0)], null, LOG)
    expect(record).toMatchObject({ reason: 'exited', exitCode: 0, message: null, logCut: false })
  })
})

test('the record keeps the counts of the limits, the times, the log and the refusal’s message', () => {
  expect(exitRecord({ ...ENDED, oomKilled: true }, [READY, final(0, null, 4)], null, LOG)).toEqual({
    reason: 'exited',
    exitCode: 0,
    signal: null,
    startedAt: ENDED.startedAt,
    endedAt: ENDED.endedAt,
    oomKilled: true,
    oomKills: 4,
    pidsLimitHits: 2,
    message: null,
    log: 'w1.log',
    logCut: false,
    logBytes: 120,
  })
  expect(exitRecord(ENDED, [refused('session')], null, LOG).message).toBe('because of session')
  expect(exitRecord({ ...ENDED, error: 'no such network' }, [], null, LOG).message).toBe('no such network')
})

test('a log whose beginning is gone is told by the missing first word', () => {
  expect(exitRecord(ENDED, [final(0)], null, LOG).logCut).toBe(true)
  expect(exitRecord(ENDED, [READY, final(0)], null, LOG).logCut).toBe(false)
  expect(exitRecord(ENDED, [], null, { ...LOG, entries: 0 }).logCut).toBe(false)
})

test('of a worker whose container went away only that can be said', () => {
  expect(unseenEnd(aRecord(), 'gone', NOW)).toMatchObject({
    reason: 'failed',
    exitCode: null,
    startedAt: '2026-03-01T11:59:00.000Z',
    endedAt: '2026-03-01T12:00:00.000Z',
    log: null,
  })
  expect(unseenEnd(aRecord('w1', { readyAt: null, stop: stopFor('stopped') }), 'gone', NOW)).toMatchObject({
    reason: 'stopped',
    startedAt: null,
  })
})
