import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Worker } from '../../coordinator/contract/worker.ts'
import { Instance, LAUNCHER } from '../support/instance.ts'
import { run, until } from '../support/run.ts'
import { shown, traces } from '../support/traces.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

const life = (): Promise<string> => shown(instance.parent, '{{.Id}} {{.State.StartedAt}}')

test('it works through links, one of them on PATH, and from any directory', async () => {
  const bin = join(instance.root, 'bin')
  await mkdir(bin)
  await symlink(LAUNCHER, join(bin, 'real'))
  await symlink('real', join(bin, 'hal9000-by-link'))
  const env = { ...instance.env, PATH: `${bin}:${process.env['PATH']}` }
  expect(await run('hal9000-by-link', ['count'], { env, cwd: '/' })).toMatchObject({ code: 0, stdout: '0\n' })
})

test('a second up is silent, quick, and changes nothing', async () => {
  const before = [await life(), await traces(instance.name)]
  const again = await instance.hal(['up'])
  expect([await life(), await traces(instance.name)]).toEqual(before)
  expect(again).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect(again.ms).toBeLessThan(3000) // less than one on a machine that does nothing else
})

test('status says that it is ready, in words and as JSON', async () => {
  expect(await instance.hal(['status'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^state +ready$/m) })
  const { code, stdout } = await instance.hal(['status', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    schemaVersion: 1,
    instance: instance.name,
    state: 'ready',
    ready: true,
    network: 'holder',
  })
})

test('every image is within its budget', async () => {
  const { code, stdout, stderr } = await instance.hal(['images'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const sizes = [...stdout.matchAll(/^(\S+):\S+ +(\d+) +(\d+) +\d+$/gm)].map(([, name, size, budget]) => {
    return [name, Number(budget), Number(size) <= Number(budget)]
  })
  expect(sizes).toEqual([
    ['parent', 225, true],
    ['worker', 190, true],
    ['worker-ultramin', 95, true],
  ])
})

describe('words', () => {
  test('spawn takes a project relative to where the caller is', async () => {
    const from = (cwd: string, path: string, name: string) =>
      instance.hal(['spawn', '-d', '-n', name, path, '--', 'sleep', '100'], { cwd })
    const spawned = [await from(project, '.', 'here'), await from(instance.root, 'work', 'below')]
    expect(await instance.list()).toMatchObject([{ project }, { project }])
    expect(spawned).toMatchObject([
      { code: 0, stdout: 'here\n' },
      { code: 0, stdout: 'below\n' },
    ])
  })

  test('a verb of the coordinator is used bare, or behind "coordinator"', async () => {
    for (const words of [
      ['list', '--json'],
      ['ls', '--json'],
      ['coordinator', 'ps', '--json'],
    ]) {
      const { code, stdout } = await instance.hal(words)
      const { workers } = JSON.parse(stdout) as { workers: Worker[] }
      expect([code, workers.map(({ name }) => name).sort()]).toEqual([0, ['below', 'here']])
    }
    expect(await instance.hal(['count'])).toMatchObject({ code: 0, stdout: '2\n' })
    expect(await instance.hal(['inspect', 'here'])).toMatchObject({ code: 0, stdout: expect.stringContaining(project) })
    expect(await instance.hal(['stop', 'here', 'below'])).toMatchObject({ code: 0, stdout: 'here\nbelow\n' })
  })

  test('bare logs are those of the parent, logs NAME those of a worker', async () => {
    await instance.hal(['spawn', '--foreground', '-n', 'talks', project, '--', 'echo', 'words of the worker'])
    expect(await instance.hal(['logs', 'talks'])).toMatchObject({ code: 0, stdout: 'words of the worker\n' })
    const parents = await instance.hal(['logs', '--tail', '1000'])
    expect(parents.code).toBe(0)
    expect(parents.stdout).toMatch(/"phase":"directories"/)
    expect(parents.stdout).not.toContain('words of the worker')
  })

  test.each([
    [['nonsense']],
    [['--nonsense']],
    [['up', '--nonsense']],
    [['down', '--nonsense']],
    [['down', '--keep', '--volumes']],
    [['build', '--nonsense']],
    [['test', '--nonsense']],
    [['restart', 'now']],
    [['list', '--nonsense']],
    [['spawn', '--nonsense']],
    [['logs', 'a', 'b']],
  ])('%j is refused with 2 and one word of what to do', async (words) => {
    const before = await life()
    const refused = await instance.hal(words)
    expect(await life()).toBe(before)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/Next: |--help/)
  })

  test('down and up after one another, when a verb finds no parent', async () => {
    await run('docker', ['stop', instance.parent])
    expect(await instance.hal(['status'])).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('Next: ./hal9000 up'),
    })
    expect(await instance.hal(['list', '--json'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\{.*\}\n$/),
    })
    await run('docker', ['rm', '-f', instance.parent])
    const spawned = await instance.hal(['spawn', '-d', '-n', 'first', project, '--', 'sleep', '100'])
    expect(await instance.list()).toMatchObject([{ name: 'first', state: 'running' }])
    expect(spawned).toMatchObject({ code: 0, stdout: 'first\n' })
  })

  test('restart makes a new start of the parent, and workers go on', async () => {
    const before = await life()
    const restarted = await instance.hal(['restart'])
    expect(await life()).not.toBe(before)
    expect((await life()).split(' ')[0]).toBe(before.split(' ')[0])
    expect(restarted).toMatchObject({ code: 0, stdout: '' })
    await until('the worker is known', async () =>
      (await instance.list()).some(({ name, state }) => name === 'first' && state === 'running'),
    )
  })
})
