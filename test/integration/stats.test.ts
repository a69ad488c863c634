import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { StatsResult } from '../../coordinator/contract/stats.ts'
import { parseSize } from '../../coordinator/contract/units.ts'
import { openTerminal, WAYS } from '../support/attached.ts'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterEach(async () => {
  await instance.stopAll()
})
afterAll(() => instance.down())

test('what a busy worker uses, beside its limits', async () => {
  const busy = ['sh', '-c', 'while :; do :; done']
  const limits = ['--cpus', '0.5', '--memory', '256m', '--pids-limit', '50']
  const { worker } = await instance.spawn(['-n', 'busy', ...limits, project, '--', ...busy])
  const { workers } = await instance.json<StatsResult>(['stats'])
  expect(workers).toMatchObject([
    { name: 'busy', project, id: worker.id, request: worker.request, cpu: { limit: 0.5 } },
  ])
  expect(workers[0]?.memory.limit).toBe(256 * 2 ** 20)
  expect(workers[0]?.processes.limit).toBe(50)
  expect(workers[0]?.processes.current).toBeGreaterThan(1)
  expect(workers[0]?.cpu.cores).toBeGreaterThan(0.2)
  expect(workers[0]?.cpu.cores).toBeLessThan(0.7)
})

test('memory is what docker stats says: what is held, not what is cached', async () => {
  // 100 MB read from a file once, and 40 MB held by a shell.
  const script =
    'head -c 100000000 /dev/zero >big; cat big >/dev/null; x=$(head -c 40000000 /dev/zero | tr "\\0" x); echo held; read _; echo "$x"'
  const { worker } = await instance.spawn(['-n', 'holds', project, '--', 'sh', '-c', script])
  await until('it holds', async () => (await instance.exec(['coordinator', 'logs', 'holds'])).stdout.includes('held'))
  const { workers } = await instance.json<StatsResult>(['stats', 'holds'])
  const theirs = await succeed('docker', ['stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', worker.id])
  const [, used = '', pids] = /^(\S+) \/ \S+ (\d+)$/.exec(theirs) ?? []
  const { bytes } = workers[0]?.memory ?? {}
  expect(bytes).toBeGreaterThan(40_000_000)
  expect((bytes ?? 0) / (parseSize(used) ?? 0)).toBeCloseTo(1, 1)
  expect(workers[0]?.processes.current).toBe(Number(pids))
})

test('without limits the limits are null, and the table has dashes', async () => {
  await instance.spawn(['-n', 'free', '--no-limits', project, '--', 'sleep', '100'])
  const { workers } = await instance.json<StatsResult>(['stats', 'free'])
  expect(workers).toMatchObject([{ cpu: { limit: null }, memory: { limit: null }, processes: { limit: null } }])
  const { stdout } = await instance.hal(['stats', 'free'])
  expect(stdout).toMatch(/^NAME +PROJECT +CPU +CPU% +MEMORY +MEM% +PROCESSES\nfree .* \d+\.\d\d\/- +- .* \d+\/-\n$/)
})

test('one that does not run is refused, and is in no table', async () => {
  await instance.exec(['spawn', '-n', 'over', project, '--', 'true'])
  const refused = await instance.exec(['coordinator', 'stats', 'over', '--json'])
  expect(refused.code).toBe(9)
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'wrong-state', hint: 'coordinator inspect over' } })
  expect(await instance.exec(['coordinator', 'stats', 'nobody'])).toMatchObject({ code: 5, stdout: '' })
  expect(await instance.json<StatsResult>(['stats'])).toMatchObject({ workers: [] })
})

test('--follow goes on until the worker has ended', async () => {
  await instance.spawn(['-n', 'short', project, '--', 'sleep', '100'])
  const following = instance.exec(['sh', '-c', 'coordinator stats short --follow --json >/tmp/followed'])
  const lines = async () => (await instance.exec(['cat', '/tmp/followed'])).stdout.split('\n').filter(Boolean)
  await until('two samples', async () => (await lines()).length >= 2)
  await instance.exec(['coordinator', 'stop', 'short'])
  expect(await following).toMatchObject({ code: 0, stderr: '' })
  const samples = (await lines()).map((line) => JSON.parse(line) as StatsResult)
  expect(samples.map(({ workers }) => workers.map(({ name }) => name))).toEqual(samples.map(() => ['short']))
  const [first = 0, second = 0] = samples.map(({ at }) => Date.parse(at))
  expect(second - first).toBeGreaterThan(1_000)
})

test.each(WAYS)('--follow on a terminal draws one table, anew, until Ctrl-C: %s', async (way) => {
  await instance.spawn(['-n', 'shown', project, '--', 'sleep', '100'])
  await using terminal = await openTerminal(instance, way, ['stats', '--follow'], { columns: 90 })
  await terminal.shows(/^NAME .*\nshown /m)
  await instance.spawn(['-n', 'second', project, '--', 'sleep', '100'])
  await terminal.shows(/^second /m)
  // Not what has gone by: the screen as it stands.
  expect((await terminal.rows()).map((row) => row.split(' ')[0]).filter(Boolean)).toEqual(['NAME', 'shown', 'second'])
  await terminal.press('C-c')
  await terminal.ended()
})
