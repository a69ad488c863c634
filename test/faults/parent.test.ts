import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTerminal } from '../support/attached.ts'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'
import { faultyParent } from './faulty-parent.ts'

/** Workers that are busy all the time, each with a server of its own that the others reach. */
const WORKERS = 20
const BUSY = 'i=0; while :; do i=$((i + 1)); echo "$i" >"beat-$1"; sleep 0.2; done'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  const script = 'p=$1; s=$2; for n in $(seq 20); do spawn -d -n "w$n" "$p" -- sh -c "$s" sh "$n" || exit; done'
  const begun = await instance.exec(['sh', '-c', script, 'sh', project, BUSY], { timeout: 120_000 })
  if (begun.code !== 0) throw new Error(begun.stderr)
})
afterAll(() => instance.down())

const beat = async (worker: number): Promise<number> => Number(await readFile(join(project, `beat-${worker}`), 'utf8'))

test.each([
  ['restarted', async () => void (await instance.hal(['restart'])).code],
  [
    'killed and started',
    async () => {
      await succeed('docker', ['kill', instance.parent])
      await instance.hal(['up'])
    },
  ],
  [
    'removed and made again',
    async () => {
      await succeed('docker', ['rm', '-f', instance.parent])
      await instance.hal(['up'])
    },
  ],
  ['upgraded', async () => void (await instance.hal(['up'], { env: await faultyParent() })).code],
])('the parent is %s with 20 workers busy: all run on, with their network', async (_how, renew) => {
  const ids = (await instance.list()).map(({ id }) => id)
  expect(ids).toHaveLength(WORKERS)
  const before = await Promise.all(ids.map((_, index) => beat(index + 1)))
  await renew()
  const since = Date.now()
  await using terminal = await openTerminal(instance, './hal9000', ['attach', 'w1'])
  await terminal.shows('[w1]')
  process.stderr.write(`attached again ${Date.now() - since} ms after the parent was back\n`)
  expect((await instance.list()).map(({ id, state, conditions }) => [id, state, conditions])).toEqual(
    ids.map((id) => [id, 'running', []]),
  )
  await until('every one goes on', async () => {
    const now = await Promise.all(ids.map((_, index) => beat(index + 1)))
    return now.every((count, index) => count > (before[index] ?? 0) + 2)
  })
  const devices = await instance.exec(['coordinator', 'exec', 'w1', '--', 'grep', '-c', 'eth0', '/proc/net/dev'])
  expect(devices.stdout).toBe('1\n')
})

test('their ends are recorded as if nothing had been', async () => {
  expect((await instance.exec(['coordinator', 'stop-all', '--yes'])).code).toBe(0)
  const ended = await instance.list('-a')
  expect(ended.map(({ state, reason }) => `${state} ${reason}`)).toEqual(ended.map(() => 'ended stopped'))
  expect(ended).toHaveLength(WORKERS)
  expect(await instance.workerContainers()).toEqual([])
})
