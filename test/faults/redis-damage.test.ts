import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Status } from '../../coordinator/contract/worker.ts'
import { parentLog } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'

const SERVICES = '/run/hal9000/service'
const REDIS = '/var/lib/hal9000/redis'
/** What was written since the last rewrite. */
const FILE = `$(ls ${REDIS}/appendonlydir/*.incr.aof | tail -n 1)`
const MANIFEST = `${REDIS}/appendonlydir/appendonly.aof.manifest`
/** How many requests wait: more than are worked on at once, so that the last of them are in Redis only. */
const WAITING = 7
/** How many copies are kept. */
const KEPT = 3

/** Two may run: one that runs all the time, and one at a time of the others. */
let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up({ HAL9000_MAX_WORKERS: '2' })
  project = await instance.project('work')
})
afterAll(() => instance.down())

const inside = (script: string) => succeed('docker', ['exec', instance.parent, 'sh', '-c', script])

/** What is done to the file, at a `point` in it, and what is told of that; nothing where Redis mends it by itself. */
const DAMAGES: readonly [what: string, script: (point: number) => string, told: string | undefined][] = [
  ['cut in the middle of its last command', () => `truncate -s -3 ${FILE}`, undefined],
  ['garbage at its end', () => `printf garbage >>${FILE}`, 'cut at the damage'],
  [
    'garbage in its middle',
    (point) => `printf 'garbage garbage' | dd of=${FILE} bs=1 seek=${point} conv=notrunc 2>&1`,
    'cut at the damage',
  ],
  ['a manifest that is none', () => `echo garbage >${MANIFEST}`, 'the list of its files'],
  ['no manifest', () => `rm ${MANIFEST}`, 'the list of its files'],
  ['a base that is none', () => `for f in ${REDIS}/appendonlydir/*.base.rdb; do echo garbage >$f; done`, 'began anew'],
]

test.each(DAMAGES)(
  'an append-only file with %s: workers run on, all that was acknowledged is done, and it is told',
  async (what, damage, told) => {
    const turn = DAMAGES.findIndex(([other]) => other === what)
    const runs = `runs${turn}`
    const own = Array.from({ length: WAITING }, (_, index) => `w${turn}-${index}`)
    const before = (await copies()).length
    await instance.spawn(['-n', runs, project, '--', 'sh', '-c', `until [ -e end${turn} ]; do sleep 0.1; done; exit 7`])
    let point = 0
    for (const name of own) {
      // Where a command begins: what is within a value Redis takes as it is.
      point = await size()
      await queue(name, turn)
    }
    await inside(`s6-svc -wD -d ${SERVICES}/redis`)
    await inside(damage(point))
    await inside(`s6-svc -u ${SERVICES}/redis`)
    const since = Date.now()
    await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0, 30_000)
    process.stderr.write(`${what}: ready again after ${Date.now() - since} ms\n`)

    expect(await instance.list()).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: runs, state: 'running' })]),
    )
    await writeFile(join(project, `go${turn}`), '')
    await until('all have run', async () => (await ledger(turn)).length === own.length, 60_000)
    expect((await ledger(turn)).sort()).toEqual(own)
    await writeFile(join(project, `end${turn}`), '')
    expect(await instance.ended(runs)).toMatchObject({ exit: { reason: 'exited', exitCode: 7 } })
    expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })

    // What Redis mends by itself leaves no copy, and adds nothing to what is told.
    const kept = await copies()
    expect(kept).toHaveLength(Math.min(before + (told === undefined ? 0 : 1), KEPT))
    const { ready, notices } = await instance.json<Status>(['status'])
    expect([ready, notices.length]).toEqual([true, kept.length])
    expect(notices.at(-1) ?? '').toContain(told ?? '')
    expect(notices.at(-1) ?? '').toContain(kept.at(-1) ?? '')
    const events = (await instance.events()).filter(({ kind }) => kind === 'redis-repaired')
    expect(events.map(({ message }) => message).at(-1)).toBe(notices.at(-1))
    expect(await parentLog(instance)).toContain(told ?? '')
  },
  120_000,
)

test('garbage in the middle while the coordinator is down: what was acknowledged before it is done', async () => {
  const early = ['early1', 'early2']
  for (const name of early) await queue(name, 9)
  const point = await size()
  await queue('late', 9)
  for (const service of ['coordinator', 'redis']) await inside(`s6-svc -wD -d ${SERVICES}/${service}`)
  await inside(`printf 'garbage garbage' | dd of=${FILE} bs=1 seek=${point} conv=notrunc 2>&1`)
  for (const service of ['redis', 'coordinator']) await inside(`s6-svc -u ${SERVICES}/${service}`)
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0, 30_000)
  await writeFile(join(project, 'go9'), '')
  await until('they have run', async () => (await ledger(9)).length >= early.length, 60_000)
  expect((await ledger(9)).filter((name) => name !== 'late').sort()).toEqual(early)
}, 120_000)

/** A request that is acknowledged; one of them runs until the turn's `go` is there, and the others wait for it. */
async function queue(name: string, turn: number): Promise<void> {
  const script = `echo ${name} >>ledger${turn}; until [ -e go${turn} ]; do sleep 0.1; done`
  const words = ['spawn', '--no-wait', '--wait', '10m', '-n', name, project, '--', 'sh', '-c', script]
  expect(await instance.exec(words)).toMatchObject({ code: 0, stderr: '' })
}

/** The size of the file that Redis appends to. Bytes. */
async function size(): Promise<number> {
  return Number(await inside(`stat -c %s ${FILE}`))
}

async function copies(): Promise<string[]> {
  return (await inside(`cd ${REDIS}; ls -d damaged-* 2>/dev/null || true`)).split('\n').filter((name) => name !== '')
}

/** The names of those that ran, each as often as it did. */
async function ledger(turn: number): Promise<string[]> {
  const text = await readFile(join(project, `ledger${turn}`), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
