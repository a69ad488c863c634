import { appendFile, chmod, cp, mkdtemp, rename, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, succeed } from '../support/run.ts'

const HOME = join(import.meta.dirname, '..', '..')
const BUILD = join(HOME, 'images', 'build')
const IMAGES = ['parent', 'worker', 'worker-ultramin']
let version: string

beforeAll(async () => {
  version = (JSON.parse(await succeed('cat', [join(HOME, 'package.json')])) as { version: string }).version
  await succeed(BUILD, ['--quiet-if-current'], { timeout: 900_000 })
})

const inspect = (image: string, format: string) =>
  succeed('docker', ['image', 'inspect', '--format', format, `hal9000/${image}:${version}`])
/** What of these commands there is in an image. */
const commands = async (image: string, ...names: string[]): Promise<string[]> => {
  const look = ['run', '--rm', '--network', 'none', '--entrypoint', 'sh', `hal9000/${image}:${version}`, '-c']
  const found = await succeed('docker', [...look, `for one in ${names.join(' ')}; do command -v $one; done; :`])
  return found.split('\n').flatMap((path) => path.split('/').at(-1) || [])
}

test.each(IMAGES)(
  '%s says by its labels what it is, and nothing that a container of it must not inherit',
  async (image) => {
    const labels = JSON.parse(await inspect(image, '{{json .Config.Labels}}')) as Record<string, string>
    expect(labels['org.opencontainers.image.version']).toBe(version)
    // A checkout without git has no revision to tell.
    expect(labels['org.opencontainers.image.revision']).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/)
    expect(labels['org.opencontainers.image.title']).toMatch(/^hal9000 /)
    expect(labels['hal9000.key']).toMatch(/^[0-9a-f]{16}$/)
    for (const label of ['managed', 'role', 'instance', 'worker', 'project'])
      expect(labels).not.toHaveProperty([`hal9000.${label}`])
  },
)

test('workers hold neither Node nor Python, and git only where it is promised', async () => {
  const unwanted = ['node', 'npm', 'python', 'python3', 'docker', 'redis-server', 'gcc', 'git']
  expect(await commands('worker', ...unwanted, 'tmux')).toEqual(['git', 'tmux'])
  expect(await commands('worker-ultramin', ...unwanted, 'tmux')).toEqual(['tmux'])
})

test('the parent holds no docker command line and no tools to build with', async () => {
  expect(await commands('parent', 'docker', 'dockerd', 'npm', 'python3', 'gcc', 'git', 'spawn', 'coordinator')).toEqual(
    ['spawn', 'coordinator'],
  )
})

test('what is current is not built again', async () => {
  const ids = () => Promise.all(IMAGES.map((image) => inspect(image, '{{.Id}}')))
  const before = await ids()
  const quiet = await run(BUILD, ['--quiet-if-current'])
  const told = await run(BUILD, [])
  expect(await ids()).toEqual(before)
  expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect(told).toMatchObject({ code: 0, stdout: '' })
  expect(told.stderr.trim().split('\n').sort()).toEqual(
    IMAGES.map((image) => `hal9000/${image}:${version} is current`).sort(),
  )
  expect(quiet.ms).toBeLessThan(3000)
})

describe('the key of an image', () => {
  let copy: string
  const key = () => succeed('sh', ['-c', `"${HOME}/images/key" Dockerfile.worker worker </dev/null`], { cwd: copy })

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'hal9000-test-'))
    for (const part of ['Dockerfile.worker', 'worker'])
      await cp(join(HOME, part), join(copy, part), { recursive: true })
  })
  afterAll(() => rm(copy, { recursive: true }))

  test('depends on content, names and executable bits, not on times and tests', async () => {
    const first = await key()
    await utimes(join(copy, 'worker', 'exec'), 1, 1)
    await appendFile(join(copy, 'worker', 'x.test.ts'), 'a test')
    expect(await key()).toBe(first)
    const keys = [first]
    await chmod(join(copy, 'worker', 'exec'), 0o644)
    keys.push(await key())
    await appendFile(join(copy, 'worker', 'exec'), '#')
    keys.push(await key())
    await rename(join(copy, 'worker', 'exec'), join(copy, 'worker', 'exec2'))
    keys.push(await key())
    expect(new Set(keys).size).toBe(4)
  })
})
