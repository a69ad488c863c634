import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Status } from '../../coordinator/contract/worker.ts'
import { control } from '../support/control.ts'
import { redis } from '../support/inputs.ts'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

const FULL = 'Redis is full: it takes no more requests.'
/** How many requests wait: more than are worked on at once, so that the last of them are in Redis only. */
const WAITING = 7
/** How large the requests are that fill Redis. Bytes; an argument of a command may be 128 KiB. */
const LARGE = 100_000

/** One at a time: so that acknowledged requests are waiting when Redis is full. */
let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up({ HAL9000_MAX_WORKERS: '1', HAL9000_MAX_QUEUE: '1000' })
  project = await instance.project('work')
})
afterAll(() => instance.down())

test.each([
  ['nearly full: what is queued is carried out', 1.02],
  ['quite full: what is queued waits', 0.5],
])('a Redis that is %s; new requests are refused, and it goes on by itself', async (_, share) => {
  const turn = String(share).replace('.', '')
  const own = Array.from({ length: WAITING }, (_, index) => `w${turn}-${index}`)
  for (const name of own) expect(await ask(name, turn)).toMatchObject({ status: 200 })
  await redis(instance, 'CONFIG', 'SET', 'maxmemory', String(Math.round((await used()) * share)))

  expect(await ask('refused', turn)).toMatchObject({
    status: 503,
    body: { error: { exitCode: 4, message: FULL, hint: 'coordinator queue' } },
  })
  expect(await instance.json<Status>(['status'])).toMatchObject({ ready: false, problems: [FULL] })
  await writeFile(join(project, `go${turn}`), '')
  if (share > 1) await until('all have run', async () => (await ledger(turn)).length === own.length, 60_000)
  await redis(instance, 'CONFIG', 'SET', 'maxmemory', '256mb')
  const since = Date.now()
  await until('all have run', async () => (await ledger(turn)).length === own.length, 60_000)
  process.stderr.write(`all had run ${Date.now() - since} ms after there was room\n`)
  expect((await ledger(turn)).sort()).toEqual(own)
  expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
})

test('requests that fill Redis are refused in time: those that were taken are carried out, and then there is room', async () => {
  const room = 40 * LARGE
  await redis(instance, 'CONFIG', 'SET', 'maxmemory', String((await used()) + room))
  const taken: string[] = []
  const refused = await until(
    'one is refused',
    async () => {
      const name = `large${taken.length}`
      const answer = await ask(name, 'large', 'x'.repeat(LARGE))
      if (answer.status === 200) taken.push(name)
      return answer.status !== 200 && answer.body.error
    },
    60_000,
  )
  expect(refused).toMatchObject({ exitCode: 4, message: FULL })
  expect(taken.length).toBeGreaterThan(5)
  expect(taken.length).toBeLessThan(40)
  await writeFile(join(project, 'golarge'), '')
  await until('all have run', async () => (await ledger('large')).length === taken.length, 120_000)
  // What was asked is forgotten with its answer: now there is room, with no more memory than before.
  await until('there is room', async () => (await ask('after', 'large')).status === 200, 60_000)
  await redis(instance, 'CONFIG', 'SET', 'maxmemory', '256mb')
}, 240_000)

/** A request that is acknowledged or refused; one of them runs until the turn's `go` is there, and the others wait for it. */
function ask(name: string, turn: string, ballast = ''): ReturnType<typeof control> {
  const script = `echo ${name} >>ledger${turn}; until [ -e go${turn} ]; do sleep 0.1; done`
  const command = ['sh', '-c', script, ballast]
  const id = `r-${name}-${turn}-${Date.now()}`
  return control(instance, 'POST', '/v1/workers', { id, name, project, command, wait: '10m', noWait: true })
}

async function used(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis(instance, 'INFO', 'memory'))?.[1])
}

/** The names of those that ran, each as often as it did. */
async function ledger(turn: string): Promise<string[]> {
  const text = await readFile(join(project, `ledger${turn}`), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
