import { existsSync } from 'node:fs'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Instance, OWNER } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'

/** What other hands do while a worker runs: somebody pauses its container, moves its project or removes it. */
let instance: Instance

beforeAll(async () => {
  instance = await Instance.up()
})
afterEach(() => instance.stopAll())
afterAll(() => instance.down())

describe('a paused worker', () => {
  const RELAY = ['--relay', 'a-relay-of-a-test', '--columns', '80', '--rows', '24']

  test('is listed as paused, has its logs, and cannot be attached to', async () => {
    const project = await instance.project()
    const { worker } = await instance.spawn(['-n', 'stands', project, '--', 'sh', '-c', 'echo before; sleep 100'])
    await succeed('docker', ['pause', worker.id])
    expect(await instance.list()).toMatchObject([{ name: 'stands', state: 'paused', exitCode: null }])
    expect(await instance.exec(['coordinator', 'logs', 'stands'])).toMatchObject({ code: 0, stdout: 'before\n' })
    const attached = await instance.exec(['coordinator', 'attach', 'stands', '--json', ...RELAY])
    expect(attached.code).toBe(9)
    expect(JSON.parse(attached.stdout)).toMatchObject({
      error: { code: 'wrong-state', hint: `docker unpause ${worker.id.slice(0, 12)}` },
    })
    await succeed('docker', ['unpause', worker.id])
    expect(await instance.list()).toMatchObject([{ name: 'stands', state: 'running' }])
  })

  test('is stopped as gracefully as any other', async () => {
    const { worker } = await instance.spawn(['-n', 'stands', await instance.project(), '--', 'sleep', '100'])
    await succeed('docker', ['pause', worker.id])
    const stopped = await instance.exec(['coordinator', 'stop', 'stands'])
    expect(await instance.ended(worker.request)).toMatchObject({
      exit: { reason: 'stopped', exitCode: 143, signal: 'TERM' },
    })
    expect(stopped).toMatchObject({ code: 0, stdout: 'stands\n', stderr: '' })
  })

  test('is stopped when its time is up', async () => {
    const options = ['-n', 'stands', '--timeout', '2s']
    const { worker } = await instance.spawn([...options, await instance.project(), '--', 'sleep', '100'])
    await succeed('docker', ['pause', worker.id])
    expect(await instance.ended(worker.request)).toMatchObject({ exit: { reason: 'timeout' } })
  })
})

/** Says when it is told to, and ends with a code of its own when it is stopped. */
const TELLS = 'trap "exit 6" TERM; echo begun; while :; do sleep 0.1; done'

test('a worker whose project is removed is known, followed and stopped, and the project can come again', async () => {
  const project = await instance.project('comes-and-goes')
  const { worker } = await instance.spawn(['-n', 'same', project, '--', 'sh', '-c', TELLS])
  await until('it has begun', async () => (await instance.exec(['coordinator', 'logs', 'same'])).stdout === 'begun\n')
  await rm(project, { recursive: true })
  const replacing = await instance.exec(['spawn', '-d', '--replace', '-n', 'same', project, '--', 'true'])
  expect(replacing).toMatchObject({ code: 5, stderr: expect.stringContaining('does not exist on the host') })
  expect(await instance.list()).toMatchObject([{ name: 'same', id: worker.id, project, state: 'running' }])
  expect(await instance.exec(['coordinator', 'logs', 'comes-and-goes/same'])).toMatchObject({ stdout: 'begun\n' })
  // Nothing made the directory again meanwhile.
  expect(existsSync(project)).toBe(false)
  expect(await instance.exec(['coordinator', 'stop', 'same'])).toMatchObject({ code: 0, stdout: 'same\n' })
  expect(await instance.json(['inspect', worker.request])).toMatchObject({ exit: { reason: 'stopped', exitCode: 6 } })

  await instance.project('comes-and-goes')
  const ran = await instance.exec(['spawn', '-n', 'same', project, '--', 'sh', '-c', 'pwd; touch made; exit 4'])
  expect(ran).toMatchObject({ code: 4, stdout: `${project}\n` })
  expect(await stat(join(project, 'made'))).toMatchObject({ uid: OWNER, gid: OWNER })
  expect(await instance.list('-a', '--filter', 'name=same')).toMatchObject([{ exitCode: 6 }, { exitCode: 4 }])
})

test('a worker whose project is moved works on in it, and a second one of its name can be had in a new one', async () => {
  const project = await instance.project('moves')
  const script = 'until [ -e go ]; do sleep 0.1; done; echo here >made; exit 3'
  const { worker } = await instance.spawn(['-n', 'same', project, '--', 'sh', '-c', script])
  await rename(project, `${project}-on`)
  await instance.project('moves')
  // The name is still taken in the project of that path: the new directory has the old one's place.
  const refused = await instance.exec(['spawn', '-d', '-n', 'same', project, '--', 'true'])
  expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('is already running') })
  const other = await instance.spawn(['-n', 'same', `${project}-on`, '--', 'sleep', '100'])
  expect((await instance.list()).map(({ id }) => id)).toEqual([worker.id, other.worker.id])
  await writeFile(join(`${project}-on`, 'go'), '')
  expect(await instance.json(['wait', worker.request])).toMatchObject({ exit: { reason: 'exited', exitCode: 3 } })
  expect(await readFile(join(`${project}-on`, 'made'), 'utf8')).toBe('here\n')
  expect(await instance.exec(['spawn', '-n', 'same', project, '--', 'ls', '-A'])).toMatchObject({ code: 0, stdout: '' })
})
