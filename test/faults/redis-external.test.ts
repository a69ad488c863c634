import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Status } from '../../coordinator/contract/worker.ts'
import { control } from '../support/control.ts'
import { parentLog } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'
import { ExternalRedis } from './external-redis.ts'

/** How long Redis is away each time. Seconds; 7 is longer than the lock on a job lasts. */
const OUTAGES = process.env['HAL9000_LONG'] ? [0, 1, 2, 3, 5, 7, 10, 20, 40, 60] : [0, 2, 7]
/** How many requests wait: more than are worked on at once, so that the last of them are in Redis only. */
const WAITING = 7
/** What a person is promised, and what a busy machine may take more. Milliseconds. */
const RESUME = 2_000

/** One at a time: so that acknowledged requests are waiting when Redis goes. */
let instance: Instance
let project: string
let redis: ExternalRedis

beforeAll(async () => {
  instance = await Instance.up({ HAL9000_MAX_WORKERS: '1' })
  project = await instance.project('work')
  redis = new ExternalRedis(instance)
  await redis.serve(instance)
})
afterAll(async () => {
  await redis?.remove()
  await instance.down()
})

test.each(['killed', 'paused', 'cut off'] as const)(
  `a Redis elsewhere that is %s for ${OUTAGES.join(', ')} s: nothing acknowledged is lost, and work resumes by itself`,
  async (how) => {
    const resumed: number[] = []
    for (const seconds of OUTAGES) {
      const turn = `${how.replace(' ', '-')}-${seconds}`
      const own = Array.from({ length: WAITING }, (_, index) => `w-${turn}-${index}`)
      for (const name of own) expect(await ask(name, turn)).toMatchObject({ status: 200 })
      await until('the first runs', async () => (await ledger(turn)).length === 1)
      const back = await redis.away(how)
      const last = instance.exec(['spawn', '--wait', '10m', '-n', `last-${turn}`, project, '--', 'true'])
      await writeFile(join(project, `go-${turn}`), '')
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      // Those that were worked on need no Redis to go on.
      const before = (await ledger(turn)).length
      await back()
      const since = Date.now()
      await until('work has resumed', async () => (await ledger(turn)).length > before, 60_000)
      resumed.push(Date.now() - since)
      expect((await last).code).toBe(0)
      await until('all have run', async () => (await ledger(turn)).length === own.length, 60_000)
      expect((await ledger(turn)).sort()).toEqual(own)
    }
    process.stderr.write(`${how} for ${OUTAGES.join(' ')} s: resumed ${resumed.join(' ')} ms after it was back\n`)
    expect(Math.max(...resumed)).toBeLessThan(RESUME * 3)
  },
  1_800_000,
)

test('one that comes back empty is given again what waits', async () => {
  const own = Array.from({ length: WAITING }, (_, index) => `e${index}`)
  for (const name of own) expect(await ask(name, 'empty')).toMatchObject({ status: 200 })
  await until('the first runs', async () => (await ledger('empty')).length === 1)
  const before = await instance.list()
  await redis.remove()
  await redis.start()
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0, 30_000)
  expect(await instance.list()).toEqual(before)
  await writeFile(join(project, 'go-empty'), '')
  await until('all have run', async () => (await ledger('empty')).length === own.length, 60_000)
  expect((await ledger('empty')).sort()).toEqual(own)
})

test.each([
  [
    'may throw requests away',
    ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'],
    ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
    'Redis has the policy "allkeys-lru" and may throw requests away.',
  ],
  [
    'is a replica',
    ['REPLICAOF', '127.0.0.1', '1'],
    ['REPLICAOF', 'NO', 'ONE'],
    'Redis is a replica of another one and takes no writes.',
  ],
  [
    'has another password',
    ['CONFIG', 'SET', 'requirepass', 'another'],
    ['CONFIG', 'SET', 'requirepass', 'not-to-be-told'],
    'Redis does not accept our user or password.',
  ],
])('one that %s takes no request, which says why; when that is mended it goes on', async (_, spoil, mend, message) => {
  await redis.cli(...spoil)
  try {
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => '')
    const refused = await until('it is refused so', async () => {
      const answer = await ask(`r${Date.now()}`, 'refused')
      return answer.body.error?.message === message && answer
    })
    expect(refused).toMatchObject({ status: 503, body: { error: { exitCode: 4, hint: expect.any(String) } } })
    expect(await instance.json<Status>(['status'])).toMatchObject({ ready: false, problems: [message] })
  } finally {
    await redis.cli(...mend)
  }
  expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
})

test('the password is told by nobody', async () => {
  const { stdout, stderr } = await instance.exec(['coordinator', 'status', '--json'])
  expect(stdout + stderr + (await parentLog(instance))).not.toContain(redis.password)
})

/** A request that is acknowledged or refused; one of them runs until the turn's `go` is there, and the others wait for it. */
function ask(name: string, turn: string): ReturnType<typeof control> {
  const command = ['sh', '-c', `echo ${name} >>ledger-${turn}; until [ -e go-${turn} ]; do sleep 0.1; done`]
  return control(instance, 'POST', '/v1/workers', {
    id: `r-${name}-request`,
    name,
    project,
    command,
    wait: '10m',
    noWait: true,
  })
}

/** The names of those that ran, each as often as it did. */
async function ledger(turn: string): Promise<string[]> {
  const text = await readFile(join(project, `ledger-${turn}`), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
