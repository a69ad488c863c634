import { expect, test } from 'vitest'
import { Failure, FAILURES, isFailureCode } from './failure.ts'

/** The table of the design, section 6: exit code → what it stands for. */
const PROMISED: Record<number, string[]> = {
  1: ['unexpected'],
  2: ['usage', 'invalid-value', 'no-terminal'],
  3: ['engine-unreachable'],
  4: ['not-ready'],
  5: ['not-found', 'image-missing', 'pull-failed', 'project-missing', 'ambiguous'],
  6: ['name-in-use'],
  7: ['refused-by-policy'],
  8: ['queue-full', 'queue-timeout'],
  9: ['wrong-state'],
  10: ['instance-locked'],
  125: ['worker-failed'],
  126: ['command-not-executable'],
  127: ['command-not-found'],
  130: ['interrupted'],
}

test('every failure has the exit code that is promised for it, and none is left out', () => {
  const byExitCode: Record<number, string[]> = {}
  for (const [code, { exitCode }] of Object.entries(FAILURES)) (byExitCode[exitCode] ??= []).push(code)
  expect(byExitCode).toEqual(PROMISED)
})

test('every failure has a meaning that is a sentence', () => {
  for (const { meaning } of Object.values(FAILURES)) expect(meaning).toMatch(/^[A-Z].*\.$/)
})

test('a failure survives its travel as JSON', () => {
  const failure = new Failure('name-in-use', 'Worker "w1" is already running in /proj.', {
    hint: 'coordinator attach w1',
  })
  const shape = JSON.parse(JSON.stringify(failure.toShape()))
  expect(shape).toEqual({
    code: 'name-in-use',
    exitCode: 6,
    message: 'Worker "w1" is already running in /proj.',
    hint: 'coordinator attach w1',
  })
  expect(Failure.fromShape(shape).toShape()).toEqual(shape)
})

test('a failure without a hint travels without one', () => {
  const shape = new Failure('not-found', 'No worker is known by "x".').toShape()
  expect(Object.keys(shape)).toEqual(['code', 'exitCode', 'message'])
  expect(Failure.fromShape(shape).hint).toBeUndefined()
})

test('a failure passes through unchanged, and anything else becomes "unexpected" with its cause kept', () => {
  const failure = new Failure('queue-full', 'Too many.')
  expect(Failure.from(failure)).toBe(failure)
  const error = new TypeError('x is not a function')
  expect(Failure.from(error)).toMatchObject({
    code: 'unexpected',
    exitCode: 1,
    message: 'x is not a function',
    cause: error,
  })
  expect(Failure.from('thrown text')).toMatchObject({
    code: 'unexpected',
    message: 'thrown text',
    cause: 'thrown text',
  })
})

test.each([
  ['name-in-use', true],
  ['toString', false],
  ['__proto__', false],
  ['', false],
  [6, false],
  [undefined, false],
])('%j as a failure code: %s', (code, known) => {
  expect(isFailureCode(code)).toBe(known)
})
