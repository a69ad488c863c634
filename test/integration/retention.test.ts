import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'

/** An end is left to whoever waits for it for 15 s; then comes the next look. Milliseconds. */
const FORGOTTEN_WITHIN = 40_000

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up({ HAL9000_KEEP_RECORDS: '2' })
  project = await instance.project('work')
})
afterAll(() => instance.down())

const remembered = async (): Promise<string[]> => (await instance.list('-a')).map(({ name }) => name)
const ready = (): Promise<unknown> =>
  until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0)

test('the newest ends are remembered with their output, and so they are by a parent that is restarted or made anew', async () => {
  for (const name of ['w1', 'w2', 'w3', 'w4']) {
    const ran = await instance.exec(['spawn', '-n', name, project, '--', 'sh', '-c', `echo ${name}; exit 3`])
    // Whoever waits for an end has it, however little is kept.
    expect(ran).toMatchObject({ code: 3, stdout: `${name}\n` })
  }
  const running = await instance.spawn(['-n', 'running', project, '--', 'sleep', '1000'])
  const kept = ['w3', 'w4', 'running']
  await until('the oldest are forgotten', async () => (await remembered()).length === kept.length, FORGOTTEN_WITHIN)
  const same = async (): Promise<void> => {
    expect(await remembered()).toEqual(kept)
    expect(await instance.exec(['coordinator', 'wait', 'w1'])).toMatchObject({ code: 5 })
    expect(await instance.exec(['coordinator', 'wait', 'w3'])).toMatchObject({ code: 3 })
    expect(await instance.exec(['coordinator', 'logs', 'w3'])).toMatchObject({ code: 0, stdout: 'w3\n' })
    const files = await instance.exec(['sh', '-c', 'cd /var/lib/hal9000; ls sessions logs/workers | sed "s/-.*//"'])
    expect(files.stdout.match(/^w\d$/gm)).toEqual(['w3', 'w4'])
  }
  await same()
  await succeed('docker', ['restart', instance.parent])
  await ready()
  await same()
  expect(await instance.hal(['down', '--keep'])).toMatchObject({ code: 0 })
  expect(await instance.hal(['up'], { timeout: 60_000 })).toMatchObject({ code: 0 })
  await same()
  expect(await instance.list()).toMatchObject([{ id: running.worker.id, state: 'running' }])
}, 180_000)

test('what is older than is wanted is forgotten, and what runs is not', async () => {
  expect(await instance.hal(['up'], { env: { HAL9000_KEEP_AGE: '1s' }, timeout: 60_000 })).toMatchObject({ code: 0 })
  await until('the ends are forgotten', async () => (await remembered()).length === 1, FORGOTTEN_WITHIN)
  expect(await remembered()).toEqual(['running'])
})
