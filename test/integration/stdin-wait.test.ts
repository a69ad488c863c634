import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { MAX_INPUT } from '../../coordinator/contract/control.ts'
import type { Status } from '../../coordinator/contract/worker.ts'
import { keptInputs, redis, sumOf } from '../support/inputs.ts'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { type Output, until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up({ HAL9000_MAX_WORKERS: '1' })
  project = await instance.project('work')
  await instance.spawn(['-n', 'first', project, '--', 'sleep', '300'])
})
afterEach(async () => {
  await instance.stopAll()
  await instance.spawn(['-n', 'first', '--replace', project, '--', 'sleep', '300'])
})
afterAll(() => instance.down())

const INPUT = randomBytes(MAX_INPUT)

/** A spawn with an input that waits for room. In a list, its answer to come: a promise alone would be awaited. */
async function waiting(name: string, options: string[], command: string[], input = INPUT): Promise<[Promise<Output>]> {
  const answer = instance.exec(['spawn', '--stdin', '-n', name, ...options, project, '--', ...command], { input })
  const active = async () => (await instance.json<Status>(['status'])).queue.active
  await until(`${name} waits for room`, async () => (await active()) === 1)
  return [answer]
}

/** Ends a service of the parent at once, and waits until spawns are taken again. */
async function kill(name: 'coordinator' | 'redis'): Promise<void> {
  await signal(instance, 'KILL', (await service(instance, name))?.pid ?? Number.NaN)
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0)
}

test('an acknowledged input outlives kill -9 of coordinator and Redis, and its command runs once with it', async () => {
  const [answer] = await waiting('second', ['-d'], ['sh', '-c', 'sha256sum; echo ran >>runs; sleep 300'])
  const request = /r[0-9a-f]{24}$/.exec((await keptInputs(instance)).join())?.[0]
  for (const name of ['coordinator', 'redis', 'coordinator'] as const) await kill(name)
  expect(await keptInputs(instance)).toEqual([expect.stringContaining(`:${request}`)])
  await instance.exec(['coordinator', 'stop', 'first'])
  expect(await answer).toMatchObject({ code: 0, stdout: 'second\n' })
  const logs = ['coordinator', 'logs', 'second']
  await until('it has read', async () => (await instance.exec(logs)).stdout === sumOf(INPUT))
  expect(await instance.list()).toMatchObject([{ name: 'second', request, state: 'running' }])
  expect(await readFile(join(project, 'runs'), 'utf8')).toBe('ran\n')
  expect(await keptInputs(instance)).toEqual([])
})

test('while it waits it is in Redis encrypted, for longer than the request may wait', async () => {
  const [answer] = await waiting('second', ['-d', '--wait', '2h'], ['cat'], Buffer.from('c0nfidential '.repeat(1000)))
  const [key = ''] = await keptInputs(instance)
  const seconds = Number(await redis(instance, 'TTL', key))
  expect([seconds > 2 * 3600, seconds <= 26 * 3600]).toEqual([true, true])
  const look = 'cd /var/lib/hal9000 && ls redis/* && ! grep -rl c0nfidential .'
  expect(await instance.exec(['sh', '-c', look])).toMatchObject({ code: 0, stdout: expect.stringContaining('aof') })
  await instance.exec(['coordinator', 'stop', 'second'])
  expect(await answer).toMatchObject({ code: 130 })
})

test('the input of a request that is taken back is forgotten', async () => {
  const [answer] = await waiting('second', ['-d'], ['cat'])
  expect(await keptInputs(instance)).toHaveLength(1)
  expect(await instance.exec(['coordinator', 'stop', 'second'])).toMatchObject({ code: 0 })
  expect(await answer).toMatchObject({ code: 130 })
  await until('it is forgotten', async () => (await keptInputs(instance)).length === 0)
})

test('that of a request which waited too long, too', async () => {
  const [answer] = await waiting('second', ['-d', '--wait', '2s'], ['cat'])
  expect(await answer).toMatchObject({ code: 8 })
  await until('it is forgotten', async () => (await keptInputs(instance)).length === 0)
})

test('a request whose input is lost fails, and its command is not run', async () => {
  const [answer] = await waiting('second', ['-d', '--json'], ['sh', '-c', 'echo ran >lost'])
  await redis(instance, 'DEL', ...(await keptInputs(instance)))
  await instance.exec(['coordinator', 'stop', 'first'])
  const failed = await answer
  expect(failed.code).toBe(125)
  expect(JSON.parse(failed.stdout)).toMatchObject({
    error: { code: 'worker-failed', message: 'Worker "second" was not started: the input of its command is gone.' },
  })
  await expect(readFile(join(project, 'lost'))).rejects.toThrow('ENOENT')
  await until('no container is left', async () => (await instance.workerContainers()).length === 0)
})

test('inputs fill half of Redis at most: one more is refused, and spawns without one go on', async () => {
  const before = await redis(instance, 'CONFIG', 'GET', 'maxmemory')
  await redis(instance, 'CONFIG', 'SET', 'maxmemory', '18mb')
  const refused = await instance.exec(['spawn', '--stdin', '-d', project, '--', 'cat'], { input: INPUT })
  await instance.exec(['coordinator', 'stop', 'first'])
  expect(await instance.exec(['spawn', project, '--', 'echo', 'went on'])).toMatchObject({
    code: 0,
    stdout: 'went on\n',
  })
  await redis(instance, 'CONFIG', 'SET', 'maxmemory', before.split('\n')[1] ?? '')
  expect(refused).toMatchObject({ code: 8, stderr: expect.stringContaining('no room for more input') })
  expect(await keptInputs(instance)).toEqual([])
})
