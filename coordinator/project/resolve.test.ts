import { mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Mount } from './mounts.ts'
import type { Found } from './directory.ts'
import { type ProjectContext, resolveProject } from './resolve.ts'

/** Where the host's root directory "projects" is mounted, and where the parent's own files are beside it. */
let root: string
let own: string
let outside: string
beforeAll(async () => {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'resolve-')))
  root = join(top, 'projects')
  own = join(root, 'data/.hal9000')
  outside = join(top, 'projects-of-the-parent')
  await mkdir(join(root, 'app/src'), { recursive: true })
  await mkdir(join(root, 'covered'))
  await mkdir(join(own, 'sessions'), { recursive: true })
  await mkdir(outside)
  await writeFile(join(root, 'app/hal9000.json'), '{"cpus": 1}')
  await writeFile(join(root, 'file'), '')
  const links = { link: 'app', out: outside, etc: '/etc', loop: 'loop', broken: 'nothing', 'to-own': own }
  for (const [link, target] of Object.entries(links)) await symlink(target, join(root, link))
})
afterAll(async () => await rm(join(root, '..'), { recursive: true }))

function mount(mountPoint: string): Mount {
  return { mountPoint, root: mountPoint, source: '/dev/sda1' }
}

function context(fields: Partial<ProjectContext> = {}): ProjectContext {
  return {
    engineDirectory: '/var/lib/docker',
    homes: ['/home/me'],
    roots: [root],
    own: [own],
    mounts: async () => [mount('/'), mount(root), mount(own)],
    probe: async () => {
      throw new Error('nobody looks from a container where there are roots')
    },
    ...fields,
  }
}

describe('a project in a root', () => {
  test('is found with its owner, its identity and its file', async () => {
    const { uid, gid, dev, ino } = await stat(join(root, 'app'))
    expect(await resolveProject(join(root, 'app'), context())).toEqual({
      project: { path: join(root, 'app'), uid, gid, identity: `${dev}:${ino}` },
      projectFile: '{"cpus": 1}',
    })
  })

  test('with a file that cannot be used is refused, with the file and why', async () => {
    await mkdir(join(root, 'linked'))
    await symlink('../app/hal9000.json', join(root, 'linked/hal9000.json'))
    await expect(resolveProject(join(root, 'linked'), context())).rejects.toMatchObject({
      code: 'invalid-value',
      message: `${root}/linked/hal9000.json is a link, and links are not followed.`,
    })
  })

  test.each(['/app/', '//app', '/app/.', '/app/src/..', '/link', '/link/', '/link/src/..'])(
    'is the same one by the way of %s',
    async (way) => {
      expect((await resolveProject(`${root}${way}`, context())).project.path).toBe(join(root, 'app'))
    },
  )

  test('may be the root itself', async () => {
    expect((await resolveProject(root, context({ own: [] }))).project.path).toBe(root)
  })

  test.each([
    ['/nothing', 'project-missing', 'does not exist on the host'],
    ['/broken', 'project-missing', 'does not exist on the host'],
    ['/loop', 'project-missing', 'does not exist on the host'],
    ['/file/x', 'project-missing', 'does not exist on the host'],
    [`/${'x'.repeat(5000)}`, 'project-missing', 'does not exist on the host'],
    ['/file', 'invalid-value', 'is not a directory'],
  ])('%s: %s', async (path, code, message) => {
    await expect(resolveProject(`${root}${path}`, context())).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })
})

describe('policy holds', () => {
  test.each([
    '/',
    '/etc',
    '/proc/self',
    '/var/lib',
    '/home/me',
    '/home',
    '/home/me/.ssh',
    '/home/me/x/../.ssh/',
    '/etc/../etc/.',
    '//run',
  ])('for %s', async (path) => {
    await expect(resolveProject(path, context({ roots: ['/'] }))).rejects.toMatchObject({ code: 'refused-by-policy' })
  })

  test.each([
    ['a link to a denied place', () => join(root, 'etc')],
    ['a link out of the roots', () => join(root, 'out')],
    ['a directory beside the root whose name begins the same', () => outside],
    ['a way up out of the root', () => join(root, '..', 'projects-of-the-parent')],
    ['a mount of the parent’s own in a root', () => own],
    ['what is below such a mount', () => join(own, 'sessions')],
    ['a link to it', () => join(root, 'to-own')],
    ['what contains it', () => join(own, '..')],
  ])('for %s', async (_what, path) => {
    await expect(resolveProject(path(), context())).rejects.toMatchObject({ code: 'refused-by-policy' })
  })

  test('of where a link leads, and says so', async () => {
    await expect(resolveProject(join(root, 'etc'), context())).rejects.toMatchObject({
      message: 'The directory /etc cannot be a project: it is in /etc.',
    })
  })

  test('the mount decides, not the text: what only looks to be in a root is refused', async () => {
    await expect(
      resolveProject(join(root, 'app'), context({ mounts: async () => [mount('/')] })),
    ).rejects.toMatchObject({
      code: 'refused-by-policy',
    })
    await expect(resolveProject(join(root, 'app'), context({ mounts: async () => [] }))).rejects.toMatchObject({
      code: 'refused-by-policy',
    })
  })

  test('what is refused is told with the command that would allow it, quoted for a shell', async () => {
    await expect(resolveProject("/srv/it's mine", context())).rejects.toMatchObject({
      code: 'refused-by-policy',
      message: "/srv/it's mine is not in a directory that workers may use.",
      hint: String.raw`allow it on the host with: ./hal9000 up --projects '/srv/it'\''s mine'`,
    })
  })
})

test.each(['', 'app', './app', '~/app', 'C:\\app'])('%j is no absolute path', async (path) => {
  await expect(resolveProject(path, context())).rejects.toMatchObject({ code: 'invalid-value' })
})

describe('without roots a container looks', () => {
  const found: Found = { type: 'directory', path: '/srv/app', uid: 1, gid: 2, identity: '3:4', projectFile: null }
  const looking = (answer: Found) => {
    const asked: string[] = []
    return { asked, context: context({ roots: [], probe: async (path) => (asked.push(path), answer) }) }
  }

  test('and what it finds is the project', async () => {
    const { asked, context } = looking(found)
    expect(await resolveProject('/srv/./link/', context)).toEqual({
      project: { path: '/srv/app', uid: 1, gid: 2, identity: '3:4' },
      projectFile: null,
    })
    expect(asked).toEqual(['/srv/link'])
  })

  test('unless the path is denied anyway', async () => {
    const { asked, context } = looking(found)
    await expect(resolveProject('/etc', context)).rejects.toMatchObject({ code: 'refused-by-policy' })
    expect(asked).toEqual([])
  })

  test.each<[Found, string]>([
    [{ ...found, path: '/etc/app' }, 'refused-by-policy'],
    [{ type: 'missing' }, 'project-missing'],
    [{ type: 'other', path: '/srv/file' }, 'invalid-value'],
  ])('and %j is refused', async (answer, code) => {
    await expect(resolveProject('/srv/link', looking(answer).context)).rejects.toMatchObject({ code })
  })
})
