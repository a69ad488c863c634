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

function final(
  exitCode: number,
  signal: string | null = null,
  more: { oomKills?: number; stoppedBy?: string } = {},
): Said {
  return { said: 'ended', exitCode, signal, oomKills: 0, pidsLimitHits: 2, stoppedBy: null, ...more }
}

function refused(word: string): Said {
  return { said: 'refused', word, message: `because of ${word}` }
}

function stopFor(reason: EndReason): WorkerRecord['stop'] {
  return { reason, at: NOW, grace: 10 }
}

/** Nobody asked for anything, and nothing befell it. */
const BY_TERM = { stoppedBy: 'TERM' }
const QUIET = { stop: null, networkLostAt: null }

/** What, the engine's facts, the worker's words, what was asked → reason, exit code, signal. */
type Case = [string, Partial<Ended>, Said[], EndReason | undefined, string]

test.each<Case>([
  ['ended well', {}, [READY, final(0)], undefined, 'exited 0 null'],
  ['failed', { exitCode: 7 }, [READY, final(7)], undefined, 'exited 7 null'],
  ['exited with the number of a signal', { exitCode: 130 }, [READY, final(130)], undefined, 'exited 130 null'],
  ['was killed by a signal of its own', { exitCode: 139 }, [READY, final(139, 'SEGV')], undefined, 'exited 139 SEGV'],
  ['killed itself', { exitCode: 137 }, [READY, final(137, 'KILL')], undefined, 'exited 137 KILL'],
  ['was stopped', { exitCode: 143 }, [READY, final(143, 'TERM', BY_TERM)], 'stopped', 'stopped 143 TERM'],
  ['was stopped and ended well', {}, [READY, final(0, null, BY_TERM)], 'stopped', 'stopped 0 null'],
  ['ended by itself before it heard of its stop', { exitCode: 7 }, [READY, final(7)], 'stopped', 'exited 7 null'],
  ['ended by itself as its spawn was undone', { exitCode: 7 }, [READY, final(7)], 'failed', 'failed 7 null'],
  ['was killed after its grace', { exitCode: 137 }, [READY], 'stopped', 'stopped 137 KILL'],
  ['ran out of time', { exitCode: 143 }, [READY, final(143, 'TERM', BY_TERM)], 'timeout', 'timeout 143 TERM'],
  ['was killed for memory', { exitCode: 137, oomKilled: true }, [READY, final(137, 'KILL')], undefined, 'oom 137 KILL'],
  ['lost only a child for memory', { oomKilled: true }, [READY, final(0)], undefined, 'exited 0 null'],
  [
    'passed on what became of its child',
    { exitCode: 137, oomKilled: true },
    [READY, final(137)],
    undefined,
    'exited 137 null',
  ],
  ['lost its supervisor for memory', { exitCode: 137, oomKilled: true }, [READY], undefined, 'oom 137 KILL'],
  ['was killed by nobody here', { exitCode: 137 }, [READY], undefined, 'engine-stopped 137 KILL'],
  ['was lost with its engine', { exitCode: 255 }, [READY], undefined, 'engine-stopped null null'],
  [
    'was stopped with its engine',
    { exitCode: 143 },
    [READY, final(143, 'TERM', BY_TERM)],
    undefined,
    'engine-stopped 143 TERM',
  ],
  [
    'was stopped for its network',
    { exitCode: 143 },
    [READY, final(143, 'TERM', BY_TERM)],
    'network-lost',
    'network-lost 143 TERM',
  ],
  ['exits with the code of a failed supervisor', { exitCode: 125 }, [READY, final(125)], undefined, 'exited 125 null'],
  ['has a supervisor that failed', { exitCode: 125 }, [READY], undefined, 'failed null null'],
  ['was never assigned', { exitCode: 125 }, [refused('never-assigned')], undefined, 'never-assigned null null'],
  ['has no such command', { exitCode: 127 }, [refused('command-not-found')], undefined, 'failed 127 null'],
  ['the engine could not start', { exitCode: 128, error: 'no such network' }, [], undefined, 'failed 128 null'],
])('a worker that %s', (_what, ended, said, asked, expected) => {
  const stop = asked === undefined ? null : stopFor(asked)
  const { reason, exitCode, signal } = exitRecord({ ...ENDED, ...ended }, said, { ...QUIET, stop }, LOG)
  expect(`${reason} ${exitCode} ${signal}`).toBe(expected)
})

describe('what a command prints in the worker’s own words', () => {
  test('does not change the exit code', () => {
    expect(exitRecord({ ...ENDED, exitCode: 3 }, [READY, final(0), final(3)], QUIET, LOG)).toMatchObject({
      exitCode: 3,
      reason: 'exited',
    })
    expect(exitRecord({ ...ENDED, exitCode: 3 }, [READY, final(0)], QUIET, LOG)).toMatchObject({
      exitCode: 3,
      reason: 'exited',
    })
  })

  test('does not make a refusal of a command that ran', () => {
    const record = exitRecord(ENDED, [READY, refused('never-assigned'), final(0)], QUIET, LOG)
    expect(record).toMatchObject({ reason: 'exited', exitCode: 0, message: null, logCut: false })
  })
})

test('the record keeps the counts of the limits, the times, the log and the refusal’s message', () => {
  expect(exitRecord({ ...ENDED, oomKilled: true }, [READY, final(0, null, { oomKills: 4 })], QUIET, LOG)).toEqual({
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
  expect(exitRecord(ENDED, [refused('session')], QUIET, LOG).message).toBe('because of session')
  expect(exitRecord({ ...ENDED, error: 'no such network' }, [], QUIET, LOG).message).toBe('no such network')
})

test('a kill for memory is known by the kernel’s count, also where the engine has not heard of it', () => {
  const said = [READY, final(137, 'KILL', { oomKills: 1 })]
  expect(exitRecord({ ...ENDED, exitCode: 137 }, said, QUIET, LOG)).toMatchObject({ reason: 'oom', oomKilled: true })
})

test('counts are believed only of the worker that ended so', () => {
  const forged = [READY, final(0, null, { oomKills: 9 })]
  expect(exitRecord({ ...ENDED, exitCode: 3 }, forged, QUIET, LOG)).toMatchObject({
    oomKilled: false,
    oomKills: null,
    pidsLimitHits: null,
  })
})

test.each([
  [
    'its supervisor was killed for memory',
    { exitCode: 137, oomKilled: true },
    QUIET,
    'What watches over the command was',
  ],
  ['it was killed from outside', { exitCode: 137 }, QUIET, 'All its processes were killed at once'],
  ['its supervisor failed', { exitCode: 125 }, QUIET, 'What watches over the command failed'],
])('of one without a last word the record says that %s', (_what, ended, story, message) => {
  expect(exitRecord({ ...ENDED, ...ended }, [READY], story, LOG).message).toContain(message)
})

test.each(['stopped', 'failed'] as const)('of one that we killed there is no more to say (%s)', (reason) => {
  const story = { ...QUIET, stop: stopFor(reason) }
  expect(exitRecord({ ...ENDED, exitCode: 137 }, [READY], story, LOG)).toMatchObject({ reason, message: null })
})

test('one that had lost its network says when, unless that is why it ended', () => {
  const story = { ...QUIET, networkLostAt: NOW }
  expect(exitRecord(ENDED, [READY, final(0)], story, LOG).message).toBe(
    'It had lost its network at 2026-03-01T12:00:00.000Z.',
  )
  const stopped = { ...story, stop: stopFor('network-lost') }
  expect(exitRecord(ENDED, [READY, final(0, null, BY_TERM)], stopped, LOG)).toMatchObject({
    reason: 'network-lost',
    message: null,
  })
})

test('of a worker whose output is lost the engine’s facts are told, and that it is lost', () => {
  const lost = { log: null, logCut: false, logBytes: 0, message: 'Its output could not be read any more.' }
  expect(exitRecord({ ...ENDED, exitCode: 3 }, [], QUIET, null)).toMatchObject({
    reason: 'exited',
    exitCode: 3,
    ...lost,
  })
  // Somebody else killed it, or its engine went: nobody can tell.
  expect(exitRecord({ ...ENDED, exitCode: 137 }, [], QUIET, null)).toMatchObject({ reason: 'failed', ...lost })
  expect(exitRecord(ENDED, [], { ...QUIET, stop: stopFor('stopped') }, null)).toMatchObject({
    reason: 'stopped',
    ...lost,
  })
})

test('a log whose beginning is gone is told by the missing first word', () => {
  expect(exitRecord(ENDED, [final(0)], QUIET, LOG).logCut).toBe(true)
  expect(exitRecord(ENDED, [READY, final(0)], QUIET, LOG).logCut).toBe(false)
  expect(exitRecord(ENDED, [], QUIET, { ...LOG, entries: 0 }).logCut).toBe(false)
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
