import { expect, test } from 'vitest'
import { ProjectPath } from '../contract/names.ts'
import { projectHash } from './project-hash.ts'
import { findRequest } from './request-ref.ts'
import { anOrder, requestId } from './testing.ts'
import { fromOrder } from './worker-view.ts'

function waiting(name: string, request: string, project = '/home/me/proj') {
  const { uid, gid, identity } = anOrder().project
  const order = anOrder(name, {
    request: requestId(request),
    project: { path: ProjectPath.parse(project), uid, gid, identity },
  })
  return fromOrder(order, 'queued')
}

const a = waiting('a', 'r-aaaa11')
const b = waiting('b', 'r-aaaa22')
const aElsewhere = waiting('a', 'r-cccc33', '/srv/other')

test.each([
  ['its id', 'r-aaaa11', [a, b], a],
  ['a unique prefix of its id', 'r-aaaa2', [a, b], b],
  ["its worker's name", 'b', [a, b], b],
  ['directory and name', 'other/a', [a, aElsewhere], aElsewhere],
  ['hash and name', `${projectHash('/home/me/proj')}/a`, [a, aElsewhere], a],
  ['its name before the prefix of an id', 'r-aa', [a, waiting('r-aa', 'r-dddd')], waiting('r-aa', 'r-dddd')],
])('a request is found by %s', (_what, ref, workers, expected) => {
  expect(findRequest(ref, workers)).toEqual(expected)
  expect(findRequest(ref, workers.toReversed())).toEqual(expected)
})

test.each(['nobody', '', 'r-a', 'r-aaaa111', 'home/a'])('%j is none', (ref) => {
  expect(findRequest(ref, [a, b])).toBeUndefined()
})

test.each([
  ['a name in two projects', 'a', [a, aElsewhere]],
  ['a prefix of two ids', 'r-aaaa', [a, b]],
  ['two requests for one name in one project', 'a', [a, waiting('a', 'r-eeee')]],
])('%s is no guess', (_what, ref, workers) => {
  const ids = workers.map(({ request }) => request)
  expect(() => findRequest(ref, workers)).toThrow(
    expect.objectContaining({
      code: 'ambiguous',
      message: expect.stringContaining(`${ids[0]} (a in /home/me/proj), ${ids[1]} (`),
      hint: `coordinator queue cancel ${ids[0]}`,
    }),
  )
})
