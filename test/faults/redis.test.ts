import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { until } from '../support/run.ts'

/** How long Redis is away each time. Seconds. */
const OUTAGES = process.env['HAL9000_LONG']
  ? [1, 1, 2, 2, 3, 3, 5, 5, 8, 8, 10, 10, 15, 15, 20, 25, 30, 40, 50, 60]
  : [0, 1, 4]
/** What a person is promised, and what a busy machine may take more. Milliseconds. */
const RESUME = 2_000
const SERVICE = '/run/hal9000/service/redis'

let instance: Instance
let project: string

beforeAll(async () => {
  // One at a time: so that acknowledged requests are waiting when Redis goes.
  instance = await Instance.up({ HAL9000_MAX_WORKERS: '1' })
  project = await instance.project('work')
})
afterAll(() => instance.down())

test(`Redis killed and away ${OUTAGES.join(', ')} s: no acknowledged request is lost, and work resumes within ${RESUME} ms`, async () => {
  const resumed: number[] = []
  const names: string[] = []
  for (const [turn, seconds] of OUTAGES.entries()) {
    // More than are worked on at once: some wait in Redis.
    const own = Array.from({ length: 6 }, (_, index) => `w${turn}-${index}`)
    names.push(...own)
    for (const name of own) {
      // The first keeps the others waiting until Redis has gone.
      const script = `echo ${name} >>ledger; until [ -e go${turn} ]; do sleep 0.1; done`
      const queued = await instance.exec([
        'spawn',
        '--no-wait',
        '--wait',
        '10m',
        '-n',
        name,
        project,
        '--',
        'sh',
        '-c',
        script,
      ])
      expect([queued.code, queued.stderr]).toEqual([0, ''])
    }
    const redis = await service(instance, 'redis')
    if (redis === undefined) throw new Error('Redis is not there')
    if (seconds > 0) await instance.exec(['s6-svc', '-O', SERVICE])
    await signal(instance, 'KILL', redis.pid)
    await writeFile(join(project, `go${turn}`), '')
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    const last = instance.exec(['spawn', '--wait', '10m', '-n', `last${turn}`, project, '--', 'true'])
    // Those that were worked on need no Redis to go on.
    const before = (await ledger()).length
    await instance.exec(['s6-svc', '-u', SERVICE])
    const since = Date.now()
    await until('work has resumed', async () => (await ledger()).length > before, 30_000)
    resumed.push(Date.now() - since)
    await until('all have run', async () => (await ledger()).length === names.length, 30_000)
    expect((await last).code).toBe(0)
  }
  process.stderr.write(`${OUTAGES.length} outages, resumed ${resumed.join(' ')} ms after it was back\n`)
  expect((await ledger()).sort()).toEqual(names.sort())
  expect(Math.max(...resumed)).toBeLessThan(RESUME * 3)
}, 3_600_000)

test('a spawn that is worked on while Redis is away for longer than its lock lasts is done once', async () => {
  const spawn = (end: string, ...options: string[]) =>
    instance.exec(['spawn', '-d', '-n', 'slow', ...options, project, '--', 'sh', '-c', `echo ran >>slow; ${end}`])
  expect((await spawn('trap "" TERM HUP; while :; do sleep 1; done')).code).toBe(0)
  // The one that is replaced takes its ten seconds to die.
  const replaced = spawn('sleep 1000', '--replace')
  await until('it is being stopped', async () => (await instance.list()).some(({ state }) => state === 'stopping'))
  await instance.exec(['s6-svc', '-wD', '-d', SERVICE])
  await new Promise((resolve) => setTimeout(resolve, 7_000))
  await instance.exec(['s6-svc', '-u', SERVICE])
  expect(await replaced).toMatchObject({ code: 0, stdout: 'slow\n' })
  // Time for a second run, if there were one.
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  expect(await readFile(join(project, 'slow'), 'utf8')).toBe('ran\nran\n')
  expect((await instance.list()).map(({ name, state }) => `${name} ${state}`)).toEqual(['slow running'])
  await instance.stopAll()
})

/** The names of those that ran, each as often as it did. */
async function ledger(): Promise<string[]> {
  const text = await readFile(join(project, 'ledger'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
