import { describe, expect, test } from 'vitest'
import { type Holder, type Resolution, resolveConflict, YOUNG } from './conflict.ts'
import type { EngineState } from './container.ts'
import { requestId } from './testing.ts'

const OWN = requestId('r-own')
const OTHER = requestId('r-other')

function resolved(holder: Partial<Holder> & { state: EngineState }, replace = false): string {
  const resolution = resolveConflict(
    { age: YOUNG * 10, foreign: false, request: OTHER, kept: false, underway: false, ...holder },
    { request: OWN, replace },
  )
  return short(resolution)
}

function short(resolution: Resolution): string {
  return resolution.do === 'refuse' ? `refuse ${resolution.why}` : resolution.do
}

const STATES: EngineState[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']

describe('the name is held by another request', () => {
  /** State → another request → the same with a kept holder → with --replace → with both. */
  test.each<[EngineState, string, string, string, string]>([
    ['created', 'clear', 'clear', 'clear', 'clear'],
    ['running', 'refuse running', 'refuse running', 'replace', 'replace'],
    ['paused', 'refuse running', 'refuse running', 'replace', 'replace'],
    ['restarting', 'refuse running', 'refuse running', 'replace', 'replace'],
    ['removing', 'wait', 'wait', 'wait', 'wait'],
    ['exited', 'clear', 'refuse kept', 'clear', 'clear'],
    ['dead', 'clear', 'refuse kept', 'clear', 'clear'],
  ])('%s: %s; kept: %s; --replace: %s; kept and --replace: %s', (state, plain, kept, replace, both) => {
    expect([
      resolved({ state }),
      resolved({ state, kept: true }),
      resolved({ state }, true),
      resolved({ state, kept: true }, true),
    ]).toEqual([plain, kept, replace, both])
  })

  test.each([
    [false, 'refuse starting'],
    [true, 'wait'],
  ])('one that is being started, --replace %s: %s', (replace, expected) => {
    expect(resolved({ state: 'created', age: YOUNG - 1 }, replace)).toBe(expected)
    expect(resolved({ state: 'created', age: -5000 }, replace)).toBe(expected)
    expect(resolved({ state: 'created', age: YOUNG }, replace)).toBe('clear')
    for (const state of ['created', 'running', 'paused', 'restarting'] as const) {
      expect([state, resolved({ state, underway: true }, replace)]).toEqual([state, expected])
    }
  })

  test('a holder without a request is another one', () => {
    expect(resolved({ state: 'running', request: undefined })).toBe('refuse running')
  })
})

test.each<[EngineState, string]>([
  ['created', 'begin-again'],
  ['running', 'adopt'],
  ['paused', 'adopt'],
  ['restarting', 'adopt'],
  ['removing', 'report-end'],
  ['exited', 'report-end'],
  ['dead', 'report-end'],
])('the name is held by the same request, %s: %s, kept or not, whatever was asked', (state, expected) => {
  for (const kept of [false, true]) {
    for (const replace of [false, true]) {
      for (const age of [0, YOUNG * 10]) expect(resolved({ state, request: OWN, kept, age }, replace)).toBe(expected)
    }
  }
})

test.each(STATES)('what is not ours is never touched, %s', (state) => {
  for (const request of [OWN, OTHER, undefined]) {
    for (const replace of [false, true])
      expect(resolved({ state, foreign: true, request }, replace)).toBe('refuse foreign')
  }
})
