import { describe, expect, test } from 'vitest'
import { ProjectPath } from '../contract/names.ts'
import type { Worker } from '../contract/worker.ts'
import { projectHash } from './project-hash.ts'
import { aRecord, containerId, NOW, requestId } from './testing.ts'
import { findWorker, referenceTo } from './worker-ref.ts'
import { fromRecord } from './worker-view.ts'

function worker(name: string, fields: Partial<Worker> = {}): Worker {
  return { ...fromRecord(aRecord(name)), state: 'running', ...fields }
}

const proj = '/home/me/proj'
const other = ProjectPath.parse('/srv/other')
const a = worker('a', { project: proj, id: containerId('aaaa11') })
const b = worker('b', { project: proj, id: containerId('bbbb22') })
const aElsewhere = worker('a', { project: other, id: containerId('aaaa33'), request: requestId('r-other') })
const oldA = worker('a', {
  project: proj,
  state: 'ended',
  id: containerId('dddd'),
  request: requestId('r-old'),
  createdAt: new Date(NOW - 999_999).toISOString(),
})

describe('a worker is found by', () => {
  test.each([
    ['its name', 'b', [a, b], b],
    ['directory and name', 'other/a', [a, aElsewhere], aElsewhere],
    ['hash and name', `${projectHash(proj)}/a`, [a, aElsewhere], a],
    ['its request', 'r-other0', [a, aElsewhere], aElsewhere],
    ['the beginning of its id', 'bbbb', [a, b], b],
    ['its whole id', containerId('aaaa11'), [a, aElsewhere], a],
    ['the request of one that ended', 'r-old000', [a, oldA], oldA],
  ])('%s', (_what, ref, workers, expected) => {
    expect(findWorker(ref, workers)).toBe(expected)
    expect(findWorker(ref, workers.toReversed())).toBe(expected)
  })
})

test('an exact name beats the beginning of an id', () => {
  const named = worker('bbbb', { id: containerId('cccc') })
  expect(findWorker('bbbb', [b, named])).toBe(named)
})

test('a request is never mistaken for a worker of that name', () => {
  const named = worker('r-other0', { project: proj, id: containerId('cccc') })
  expect(findWorker('r-other0', [named, aElsewhere])).toBe(aElsewhere)
  expect(findWorker('r-other0', [named])).toBe(named)
})

test('the live one beats those that ended, and the latest beats the earlier', () => {
  const older = { ...oldA, request: requestId('r-older'), createdAt: new Date(NOW - 9_999_999).toISOString() }
  expect(findWorker('a', [older, oldA, a])).toBe(a)
  expect(findWorker('a', [older, oldA])).toBe(oldA)
  expect(findWorker('a', [oldA, older])).toBe(oldA)
})

test('a live one beats one that ended in another project', () => {
  expect(findWorker('a', [oldA, aElsewhere])).toBe(aElsewhere)
})

test('what fits several workers is refused, and they are listed', () => {
  expect(() => findWorker('a', [a, aElsewhere])).toThrow(
    expect.objectContaining({
      code: 'ambiguous',
      message: `"a" fits 2 workers: ${projectHash(proj)}/a (/home/me/proj), ${projectHash(other)}/a (/srv/other).`,
      hint: `coordinator inspect ${projectHash(proj)}/a`,
    }),
  )
  expect(() => findWorker('aaaa', [a, aElsewhere])).toThrow(expect.objectContaining({ code: 'ambiguous' }))
})

test.each(['c', 'aaa', '', '/a', 'proj/', 'A', 'a\n', '..'])('%j is nobody', (ref) => {
  expect(() => findWorker(ref, [a, b])).toThrow(
    expect.objectContaining({
      code: 'not-found',
      message: `No worker is known by "${ref}".`,
      hint: 'coordinator list -a',
    }),
  )
})

test('a worker without a container is not found by an empty id', () => {
  expect(() => findWorker('0000', [worker('q', { id: '', state: 'queued' })])).toThrow(
    expect.objectContaining({ code: 'not-found' }),
  )
})

test.each([
  ['its name', a, [a, b], 'a'],
  ['its name, where it is the latest of those that ended', oldA, [oldA], 'a'],
  ['its directory too, where another project has the name', a, [a, aElsewhere], 'proj/a'],
  ['its directory too, where another one runs', oldA, [oldA, aElsewhere], 'proj/a'],
  [
    'its hash, where the directory has the name of another',
    a,
    [a, { ...aElsewhere, project: '/srv/proj' }],
    `${projectHash(proj)}/a`,
  ],
  ['its request, where another of the name has come after it', oldA, [oldA, a], oldA.request],
])('a reference to one worker is %s', (_what, worker, workers, expected) => {
  expect(referenceTo(worker, workers)).toBe(expected)
  expect(findWorker(expected, workers)).toBe(worker)
})
