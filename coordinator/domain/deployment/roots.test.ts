import { expect, test } from 'vitest'
import { chooseRoots, type RootsQuestion } from './roots.ts'

const QUESTION: RootsQuestion = {
  remembered: undefined,
  added: [],
  project: '/srv/work/app',
  home: '/home/u',
  engineDirectory: '/data/docker',
}

test('at first: the home directory and the current project', () => {
  expect(chooseRoots(QUESTION)).toEqual(['/home/u', '/srv/work/app'])
})

test('a project below the home directory needs no root of its own', () => {
  expect(chooseRoots({ ...QUESTION, project: '/home/u/app' })).toEqual(['/home/u'])
})

test('later: what is remembered, whatever the current directory is, and what is added', () => {
  const remembered = ['/home/u']
  expect(chooseRoots({ ...QUESTION, remembered })).toEqual(['/home/u'])
  expect(chooseRoots({ ...QUESTION, remembered, added: ['/srv/work'] })).toEqual(['/home/u', '/srv/work'])
})

test('of overlapping roots the outermost is left; a name that only begins alike does not overlap', () => {
  const remembered = ['/srv/work/app', '/srv/workshop']
  expect(chooseRoots({ ...QUESTION, remembered, added: ['/srv/work', '/srv/work/other'] })).toEqual([
    '/srv/work',
    '/srv/workshop',
  ])
})

test('a default that may not be a root is left out', () => {
  expect(chooseRoots({ ...QUESTION, project: '/etc' })).toEqual(['/home/u'])
  expect(chooseRoots({ ...QUESTION, home: '/', project: '/srv/work/app' })).toEqual(['/srv/work/app'])
})

test.for(['/home/u', '/root', '/home/other', '/home/u/work', '/srv', '/usr/src/app', '/tmp/clone'])(
  '%s may be a root',
  (path) => {
    expect(chooseRoots({ ...QUESTION, remembered: [], added: [path] })).toEqual([path])
  },
)

test.for([
  '/',
  '/etc',
  '/etc/app',
  '/proc',
  '/run/user/1000',
  '/data',
  '/data/docker/volumes',
  '/var',
  '/home',
  '/home/u/.ssh',
  '/usr',
  '/usr/lib',
  '/tmp',
])('%s may not be a root', (path) => {
  expect(() => chooseRoots({ ...QUESTION, added: ['/srv/fine', path] })).toThrow(
    expect.objectContaining({ exitCode: 7 }),
  )
})
