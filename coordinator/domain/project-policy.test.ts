import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProject, deniedBecause, isWithin } from './project-policy.ts'

const CONTEXT = { engineDirectory: '/var/lib/docker', homes: ['/srv/people/me'] }

function denied(path: string): string | undefined {
  return deniedBecause(path, CONTEXT)
}

describe('a directory that may be a project', () => {
  test.each([
    '/home/me/proj',
    '/home/me/work/a/b',
    '/root/proj',
    '/Users/me/proj',
    '/srv/people/me/proj',
    '/srv/other',
    '/opt/proj',
    '/tmp/x',
    '/var/www',
    '/home/me/dev',
    '/home/me/etc',
    '/home/me/.config',
    '/home/me/.sshx',
    '/home/me/x.ssh',
    '/etcetera',
    '/var/lib/dockerx',
    '/procedures',
  ])('%s', (path) => {
    expect(denied(path)).toBeUndefined()
  })
})

describe('a directory that may not', () => {
  test.each([
    ['/', 'it is the root of the file system'],
    ['/proc', 'it is in /proc'],
    ['/proc/self/root/home', 'it is in /proc'],
    ['/sys', 'it is in /sys'],
    ['/dev/shm', 'it is in /dev'],
    ['/etc', 'it is in /etc'],
    ['/etc/ssh', 'it is in /etc'],
    ['/boot', 'it is in /boot'],
    ['/run', 'it is in /run'],
    ['/run/user/1000', 'it is in /run'],
    ['/var/run', 'it is in /var/run'],
    ['/var/run/docker', 'it is in /var/run'],
    ['/usr/local/sbin', 'it is in /usr/local/sbin'],
    ['/usr/local', 'it contains /usr/local/bin'],
    ['/bin/x', 'it is in /bin'],
    ['/var/lib/docker', 'it is in /var/lib/docker'],
    ['/var/lib/docker/volumes/x/_data', 'it is in /var/lib/docker'],
    ['/var', 'it contains /var/lib/docker'],
    ['/var/lib', 'it contains /var/lib/docker'],
    ['/root', 'it is a home directory; use a directory below it'],
    ['/home/me', 'it is a home directory; use a directory below it'],
    ['/Users/me', 'it is a home directory; use a directory below it'],
    ['/srv/people/me', 'it is a home directory; use a directory below it'],
    ['/srv/people', 'it contains the home directory /srv/people/me'],
    ['/srv', 'it contains the home directory /srv/people/me'],
    ['/home', 'it contains home directories'],
    ['/Users', 'it contains home directories'],
  ])('%s: %s', (path, because) => {
    expect(denied(path)).toBe(because)
  })

  test.each(['.ssh', '.gnupg', '.aws', '.docker', '.kube'])('%s below a home, at any depth', (name) => {
    const because = `it is in ${name}, which holds credentials`
    for (const home of ['/home/me', '/root', '/Users/me', '/srv/people/me']) {
      const paths = [`${home}/${name}`, `${home}/${name}/x/y`, `${home}/a/b/${name}`, `${home}/a/${name}/c`]
      expect(paths.filter((path) => denied(path) !== because)).toEqual([])
    }
  })
})

const DENIED = [
  '/',
  '/etc',
  '/proc/1',
  '/var/run',
  '/var/lib/docker',
  '/var/lib',
  '/home/me',
  '/home',
  '/root',
  '/root/.ssh',
  '/srv/people/me',
]

test('no spelling of a denied directory gets past', () => {
  const detour = fc.constantFrom('/', '//', '/.', '/./', '/x/..', '/a/b/../..', '/../')
  fc.assert(
    fc.property(
      fc.constantFrom(...DENIED),
      fc.array(detour, { maxLength: 4 }),
      fc.array(detour, { maxLength: 4 }),
      (path, before, after) => {
        // "/../" climbs, and so belongs at the front only, where there is nothing above.
        const spelt = `${before.join('')}${path}${after.filter((part) => part !== '/../').join('')}`
        expect(denied(spelt)).toBe(denied(path))
      },
    ),
  )
})

test('what is above a denied directory is denied, whatever the engine and the homes are', () => {
  const part = fc.stringMatching(/^[a-z]{1,4}$/)
  const path = fc.array(part, { minLength: 2, maxLength: 6 }).map((parts) => `/${parts.join('/')}`)
  fc.assert(
    fc.property(path, path, fc.constantFrom('', '/'), (engine, home, slash) => {
      const context = { engineDirectory: `${engine}${slash}`, homes: [`${home}${slash}`] }
      for (const place of [engine, home]) {
        for (let above = place; above !== ''; above = above.slice(0, above.lastIndexOf('/'))) {
          expect(deniedBecause(above, context)).toBeDefined()
        }
      }
    }),
  )
})

test('a denied project is refused by policy, with the reason and a next step', () => {
  expect(() => checkProject('/etc', CONTEXT)).toThrow(
    expect.objectContaining({
      code: 'refused-by-policy',
      message: 'The directory /etc cannot be a project: it is in /etc.',
      hint: 'name a directory of your own, such as a clone of a repository',
    }),
  )
  expect(() => checkProject('/home/me/proj', CONTEXT)).not.toThrow()
})

test('within means below or the same, never merely a longer name', () => {
  expect(isWithin('/a', '/a')).toBe(true)
  expect(isWithin('/a/b', '/a')).toBe(true)
  expect(isWithin('/ab', '/a')).toBe(false)
  expect(isWithin('/', '/a')).toBe(false)
  expect(isWithin('/a', '/')).toBe(true)
})
