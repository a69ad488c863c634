import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { walk } from './walk.ts'

/** A host's file system, below a directory. */
let root: string
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'walk-')))
  await mkdir(join(root, 'home/me/proj/sub'), { recursive: true })
  await mkdir(join(root, 'etc'))
  await writeFile(join(root, 'home/me/file'), '')
  const links = {
    'home/me/abs': '/home/me/proj',
    'home/me/rel': 'proj/../proj/./sub',
    'home/me/up': '../../../../../../etc',
    'home/me/chain': 'abs/sub',
    'home/me/loop': 'loop',
    'home/me/broken': 'nothing/here',
    'home/me/root': '/',
    'home/me/host': root,
  }
  for (const [link, target] of Object.entries(links)) await symlink(target, join(root, link))
})
afterAll(async () => await rm(root, { recursive: true }))

describe('the real path inside of a root', () => {
  test.each([
    ['/', '/'],
    ['/home/me/proj', '/home/me/proj'],
    ['//home/./me//proj/', '/home/me/proj'],
    ['/home/me/abs/sub', '/home/me/proj/sub'],
    ['/home/me/rel', '/home/me/proj/sub'],
    ['/home/me/rel/..', '/home/me/proj'],
    ['/home/me/chain', '/home/me/proj/sub'],
    ['/home/me/up', '/etc'],
    ['/../../etc', '/etc'],
    ['/home/me/root/etc', '/etc'],
    ['/home/me/file', '/home/me/file'],
  ])('of %s is %s', async (path, real) => {
    expect(await walk(root, path)).toBe(real)
  })

  test.each([
    '/nobody',
    '/home/me/proj/none/x',
    '/home/me/loop',
    '/home/me/broken',
    '/home/me/file/x',
    '/home/me/nothing/..',
  ])('of %s there is none', async (path) => {
    expect(await walk(root, path)).toBeUndefined()
  })

  test('never leaves the root: a link to the root’s own outside is not followed', async () => {
    expect(await walk(root, '/home/me/host')).toBeUndefined()
  })

  test('is what realpath says, where no link is absolute', async () => {
    const part = fc.constantFrom('home', 'me', 'proj', 'sub', 'rel', '.', '..', '', 'nothing', 'broken', 'loop')
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const real = await realpath(`${root}/home/me/${parts.join('/')}`).catch(() => undefined)
        // Above the root the two differ, on purpose.
        fc.pre(real === undefined ? !parts.includes('..') : `${real}/`.startsWith(`${root}/`))
        expect(await walk(root, `/home/me/${parts.join('/')}`)).toBe(real && (real.slice(root.length) || '/'))
      }),
    )
  })
})
