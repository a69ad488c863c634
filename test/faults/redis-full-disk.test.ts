import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Status } from '../../coordinator/contract/worker.ts'
import { control } from '../support/control.ts'
import { HOME, parentLog } from '../support/daemon.ts'
import type { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'
import { SmallDiskParent } from './small-disk-parent.ts'

/** How often the disk is filled. */
const TIMES = process.env['HAL9000_LONG'] ? 10 : 1
/** How many requests wait: more than are worked on at once, so that the last of them are in Redis only. */
const WAITING = 7
/** What a person is promised, from when Redis is back, and what a busy machine may take more. Milliseconds. */
const RESUME = 2_000
const SERVICE = '/run/hal9000/service/redis'
const FULL = `The state directory ${HOME} is full.`

/** Five megabytes that cannot be compressed. */
const BALLAST = `local t = {} for i = 1, 125000 do t[i] = redis.sha1hex(i) end redis.call('SET', 'ballast', table.concat(t))`

/** One at a time: so that acknowledged requests are waiting when the disk is full. */
let parent: SmallDiskParent
let instance: Instance
let project: string

beforeAll(async () => {
  parent = await SmallDiskParent.start({ HAL9000_MAX_WORKERS: '1' })
  instance = parent.instance
  project = await instance.project('work')
})
afterEach(() => parent.makeRoom())
afterAll(() => parent.down())

test('a disk that is full: named by spawn and status, nothing acknowledged is lost, and it goes on by itself', async () => {
  const resumed: number[] = []
  for (let turn = 0; turn < TIMES; turn += 1) {
    const own = Array.from({ length: WAITING }, (_, index) => `w${turn}-${index}`)
    for (const name of own)
      expect(await control(instance, 'POST', '/v1/workers', request(name, turn))).toMatchObject({ status: 200 })
    const first = await until('the first runs', async () =>
      (await instance.list()).find(({ state }) => state === 'running'),
    )
    await parent.fill()
    // Redis may still have room in the block that it was at: what it takes is acknowledged, and is done.
    const refused = await until('a request is refused', async () => {
      const name = `x${turn}-${own.length}`
      const { status, body } = await control(instance, 'POST', '/v1/workers', request(name, turn))
      if (status === 200) own.push(name)
      return status !== 200 && { status, body }
    })
    const hint = 'make room or mend it; coordinator status'
    expect(refused).toMatchObject({ status: 503, body: { error: { exitCode: 4, message: FULL, hint } } })
    expect(await instance.json<Status>(['status'])).toMatchObject({ ready: false, problems: [FULL] })

    // What ends meanwhile is kept where it is, and nothing is half written.
    await writeFile(join(project, `go${turn}`), '')
    const state = ['container', 'inspect', '--format', '{{.State.Status}}', first.id]
    await until('the first has ended', async () => (await succeed('docker', state)) === 'exited')
    expect(await instance.workerContainers()).toHaveLength(1)
    await parent.inside(`for f in ${HOME}/sessions/*.json; do node -e 'JSON.parse(fs.readFileSync(0))' <"$f"; done`)
    await parent.inside(`s6-svc -t ${SERVICE}`)
    expect(await instance.json<Status>(['status'])).toMatchObject({ ready: false, problems: [FULL] })

    await parent.makeRoom()
    await until('Redis is back', async () => (await parent.inside(`s6-svstat -o ready ${SERVICE}`)) === 'true')
    const since = Date.now()
    await until('work has resumed', async () => (await ledger(turn)).length > 1, 30_000)
    resumed.push(Date.now() - since)
    await until('all have run', async () => (await ledger(turn)).length === own.length, 60_000)
    expect((await ledger(turn)).sort()).toEqual(own.sort())
    expect(await instance.ended(first.name)).toMatchObject({ exit: { reason: 'exited', exitCode: 0 } })
    expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
  }
  process.stderr.write(`disk full ${TIMES} times, resumed ${resumed.join(' ')} ms after Redis was back\n`)
  expect(Math.max(...resumed)).toBeLessThan(RESUME * 3)
}, 1_200_000)

test('an append-only file that cannot be rewritten for want of room is gone on with', async () => {
  const redis = 'redis-cli -s /run/hal9000/redis/redis.sock'
  const info = async (field: string) =>
    new RegExp(`^${field}:(\\w+)`, 'm').exec(await parent.inside(`${redis} INFO persistence`))?.[1]
  // More than there is room for a second time; a file of our own keeps the room that spawns need.
  await parent.inside(`${redis} -e EVAL "${BALLAST}" 0`)
  await parent.inside(`head -c 3000000 /dev/zero >${HOME}/spare`)
  await parent.fill()
  await parent.inside(`rm ${HOME}/spare`)
  await parent.inside(`${redis} BGREWRITEAOF`)
  await until('the rewrite is over', async () => (await info('aof_rewrite_in_progress')) === '0')
  expect(await info('aof_last_bgrewrite_status')).toBe('err')
  expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
  await parent.makeRoom()
  await parent.inside(`${redis} DEL ballast`)
  await parent.inside(`${redis} BGREWRITEAOF`)
  await until('it is rewritten', async () => (await info('aof_last_bgrewrite_status')) === 'ok')
  expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
})

test('a damaged append-only file waits for room for its copy, and is mended then', async () => {
  await parent.inside(`s6-svc -wD -d ${SERVICE}`)
  await parent.inside(`printf garbage >>$(ls ${HOME}/redis/appendonlydir/*.incr.aof | tail -n 1)`)
  await parent.fill()
  await parent.inside(`s6-svc -u ${SERVICE}`)
  await until('it is told', async () => (await parentLog(instance)).includes('there is no room for a copy of it'))
  expect(await parent.inside(`ls ${HOME}/redis`)).toBe('appendonlydir')
  expect(await instance.json<Status>(['status'])).toMatchObject({ ready: false, problems: [FULL] })
  await parent.makeRoom()
  await parent.untilReady()
  expect((await instance.json<Status>(['status'])).notices).toEqual([expect.stringContaining('cut at the damage')])
  expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
})

/** A request; one of them runs until the turn's `go` is there, and the others wait for it. */
function request(name: string, turn: number): object {
  const script = `echo ${name} >>ledger${turn}; until [ -e go${turn} ]; do sleep 0.1; done`
  return { id: `r-${name}-request`, name, project, command: ['sh', '-c', script], wait: '10m', noWait: true }
}

/** The names of those that ran, each as often as it did. */
async function ledger(turn: number): Promise<string[]> {
  const text = await readFile(join(project, `ledger${turn}`), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
