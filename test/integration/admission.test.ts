import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

const SLEEP = ['--', 'sleep', '100']

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up({ HAL9000_MAX_WORKERS: '1' })
  project = await instance.project('work')
})
afterEach(async () => {
  await instance.stopAll()
})
afterAll(() => instance.down())

test('one too many waits, and gets in when there is room', async () => {
  await instance.spawn(['-n', 'first', project, ...SLEEP])
  const second = instance.spawn(['-n', 'second', project, ...SLEEP])
  const waits = async () => (await instance.list()).find(({ name, id }) => name === 'second' && id === '')
  await until('the second waits', waits)
  expect(await instance.workerContainers()).toEqual([expect.stringMatching(/-first$/)])
  await instance.exec(['coordinator', 'stop', 'first'])
  expect((await second).worker).toMatchObject({ name: 'second', state: 'running' })
  expect(await instance.list()).toMatchObject([{ name: 'second', state: 'running' }])
})

test('whoever waits longer than it may is told so: exit 8, and nothing comes of it later', async () => {
  await instance.spawn(['-n', 'first', project, ...SLEEP])
  const refused = await instance.exec(['spawn', '-d', '--json', '-n', 'second', '--wait', '1s', project, ...SLEEP])
  expect(refused.code).toBe(8)
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: { code: 'queue-timeout', exitCode: 8, message: expect.stringContaining('1 of 1 workers run') },
  })
  await instance.exec(['coordinator', 'stop', 'first'])
  await instance.spawn(['-n', 'third', project, ...SLEEP])
  expect((await instance.list()).map(({ name }) => name)).toEqual(['third'])
})

test('who replaces a worker takes its room', async () => {
  const first = (await instance.spawn(['-n', 'first', project, ...SLEEP])).worker
  const { worker } = await instance.spawn(['-n', 'first', '--replace', '--wait', '5s', project, ...SLEEP])
  expect(await instance.list()).toMatchObject([{ name: 'first', id: worker.id, state: 'running' }])
  expect(worker.id).not.toBe(first.id)
})

test('six that wait are let in one after the other, also those beyond the queue’s own parallelism', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `n${index}`)
  const ends = await Promise.all(
    names.map((name) => instance.exec(['spawn', '-n', name, project, '--', 'sh', '-c', 'echo $$'])),
  )
  expect(ends.map(({ code }) => code)).toEqual(names.map(() => 0))
  const all = await instance.list('-a')
  const times = all
    .filter(({ name }) => names.includes(name))
    .map(({ startedAt, endedAt }) => [Date.parse(startedAt ?? ''), Date.parse(endedAt ?? '')] as const)
    .sort(([a], [b]) => a - b)
  expect(times).toHaveLength(6)
  for (const [index, [, ended]] of times.slice(0, -1).entries()) {
    expect(times[index + 1]?.[0]).toBeGreaterThanOrEqual(ended)
  }
})

test('who may wait a second is told so after it, also behind one that waits for long', async () => {
  await instance.spawn(['-n', 'first', project, ...SLEEP])
  const patient = instance.spawn(['-n', 'patient', project, ...SLEEP])
  await until('it waits', async () => (await instance.list()).some(({ name }) => name === 'patient'))
  const refused = await instance.exec(['spawn', '-d', '-n', 'hasty', '--wait', '1s', project, ...SLEEP])
  expect(refused).toMatchObject({ code: 8, stderr: expect.stringContaining('no room for worker "hasty"') })
  expect(refused.ms).toBeLessThan(10_000)
  await instance.exec(['coordinator', 'stop', 'first'])
  expect((await patient).worker).toMatchObject({ name: 'patient', state: 'running' })
})

test('a request that waits can be taken back with stop', async () => {
  await instance.spawn(['-n', 'first', project, ...SLEEP])
  const waiting = instance.exec(['spawn', '-d', '--json', '-n', 'second', project, ...SLEEP])
  await until('it waits', async () => (await instance.list()).some(({ name }) => name === 'second'))
  const stopped = await instance.exec(['coordinator', 'stop', 'second'])
  expect([stopped.code, (await waiting).code]).toEqual([0, 130])
  expect((await instance.list()).map(({ name }) => name)).toEqual(['first'])
})

test('a full queue refuses at once: exit 8, and nothing is left', async () => {
  const up = await instance.hal(['up'], { env: { HAL9000_MAX_QUEUE: '0' } })
  expect(up.code).toBe(0)
  const refused = await instance.exec(['spawn', '-d', '--json', '-n', 'more', project, ...SLEEP])
  expect(await instance.workerContainers()).toEqual([])
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: { code: 'queue-full', exitCode: 8, message: expect.stringContaining('HAL9000_MAX_QUEUE') },
  })
  expect(refused.code).toBe(8)
})
