import { readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Instance, OWNER } from '../support/instance.ts'
import { run, succeed, until } from '../support/run.ts'
import { traces } from '../support/traces.ts'

/** The parent as a bare `docker run` makes it: no holder, no roots, the state in a directory of the host. */
let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.planned()
  const version = JSON.parse(await succeed('cat', [join(import.meta.dirname, '..', '..', 'package.json')])) as {
    version: string
  }
  const named = ['run', '-d', '--name', instance.parent, '-e', `HAL9000_NAME=${instance.name}`]
  const mounted = ['-v', '/var/run/docker.sock:/var/run/docker.sock', '-v', `${instance.root}/.hal9000:/root/.hal9000`]
  const image = process.env['HAL9000_PARENT_IMAGE'] ?? `hal9000/parent:${version.version}`
  await succeed('docker', [...named, ...mounted, image])
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0, 30_000)
  project = await instance.project('work')
})
afterAll(async () => {
  await instance.exec(['coordinator', 'stop-all', '--yes', '-t', '0'])
  await run('docker', ['rm', '-f', '-v', instance.parent])
  await instance.down()
})

const spawn = (path: string) => instance.exec(['spawn', path, '--', 'sh', '-c', 'pwd -P; touch made; id -u'])

test('status says whose network it is', async () => {
  expect(await instance.json(['status'])).toMatchObject({ ready: true, network: 'parent', projectRoots: [] })
  const { stdout } = await instance.exec(['coordinator', 'status'])
  expect(stdout).toMatch(/^network +the parent's: workers lose it when the parent restarts$/m)
})

test('spawn works on any path that is allowed, by its real name, as its owner', async () => {
  await symlink(project, join(instance.root, 'link'))
  for (const path of [project, join(instance.root, 'link'), `${project}/../work/.`]) {
    expect(await spawn(path)).toMatchObject({ code: 0, stdout: `${project}\n${OWNER}\n` })
  }
  expect(await stat(join(project, 'made'))).toMatchObject({ uid: OWNER, gid: OWNER })
})

describe('refused is', () => {
  beforeAll(async () => {
    await writeFile(join(instance.root, 'file'), '')
    for (const place of ['/', '/etc', '/proc/1/root', '/var/run', '/root', '/home']) {
      await symlink(place, join(instance.root, `to${place.replaceAll('/', '-')}`))
    }
  })

  test.each([
    '/',
    '/etc',
    '/etc/ssl',
    '/proc',
    '/dev/shm',
    '/boot',
    '/run',
    '/var',
    '/var/lib/docker',
    '/root',
    '/root/.ssh',
  ])('%s, by policy', async (path) => {
    expect(await spawn(path)).toMatchObject({
      code: 7,
      stdout: '',
      stderr: expect.stringContaining('cannot be a project'),
    })
  })

  test.each(['to-', 'to-etc', 'to-etc/ssl', 'to-var-run', 'to-root'])('%s, a link to such a place', async (link) => {
    expect(await spawn(join(instance.root, link))).toMatchObject({
      code: 7,
      stdout: '',
      stderr: expect.stringContaining('cannot be a project'),
    })
  })

  test('what does not exist or cannot be followed, and what is no directory', async () => {
    for (const nothing of ['nothing', 'to-proc-1-root', 'to-proc-1-root/etc']) {
      expect(await spawn(join(instance.root, nothing))).toMatchObject({ code: 5, stdout: '' })
    }
    expect(await spawn(join(instance.root, 'file'))).toMatchObject({ code: 2, stdout: '' })
  })

  test('and none of that leaves a container', async () => {
    expect(await traces(instance.name)).toEqual([`container ${instance.parent}`])
  })
})

test('the state is in the directory that was mounted, and outlives the parent', async () => {
  const state = join(instance.root, '.hal9000')
  expect(await readdir(join(state, 'sessions'))).not.toEqual([])
  await instance.exec(['spawn', '-n', 'kept', project, '--', 'sh', '-c', 'exit 6'])
  await succeed('docker', ['restart', instance.parent])
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0, 30_000)
  expect(await instance.list('-a', '--filter', 'name=kept')).toMatchObject([{ state: 'ended', exitCode: 6 }])
})

test('a parent that restarts takes the network from its workers, and they are told so, each once', async () => {
  const sleep = [project, '--', 'sleep', '1000']
  const { worker } = await instance.spawn(['-n', 'left', ...sleep])
  const { worker: stopped } = await instance.spawn(['-n', 'stopped', '--on-network-loss', 'stop', ...sleep])
  expect(await instance.list()).toMatchObject([{ conditions: [] }, { conditions: [] }])
  for (let restart = 0; restart < 2; restart += 1) {
    await succeed('docker', ['restart', instance.parent])
    await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0, 30_000)
    expect(await instance.ended(stopped.request)).toMatchObject({ exit: { reason: 'network-lost' } })
    expect(await instance.list()).toMatchObject([{ id: worker.id, state: 'running', conditions: ['network-lost'] }])
  }
  const kinds = (await instance.events(worker.request)).map(({ kind }) => kind)
  expect(kinds).toEqual(['worker-queued', 'worker-ready', 'worker-network-lost'])
  // Whoever comes now joins the parent as it runs.
  const routes = ['sh', '-c', 'wc -l </proc/net/route']
  expect(Number((await instance.exec(['spawn', project, '--', ...routes])).stdout)).toBeGreaterThan(1)
  await instance.exec(['coordinator', 'stop', 'left'])
})
