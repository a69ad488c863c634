import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'
import { SecondEngine } from './second-engine.ts'

const IMAGES = ['parent', 'worker'].map((name) => `hal9000/${name}:${manifest.version}`)
/** Docker's socket in the parent is a bind mount: a file that the engine made anew is seen after a restart of the parent. */
const BACK = 30_000

async function deployed(engine: SecondEngine): Promise<{ instance: Instance; project: string }> {
  const [image = ''] = IMAGES
  const instance = await Instance.up({ HAL9000_DOCKER_SOCKET: engine.socket, HAL9000_PARENT_IMAGE: image })
  return { instance, project: await instance.project('work') }
}

/** A worker that writes down that it lives, five times a second. */
const BEAT = 'while :; do echo >>beat; sleep 0.2; done'
const beats = async (project: string): Promise<number> => (await readFile(join(project, 'beat'), 'utf8')).length

test('an engine that keeps containers over its restart: workers run on, the parent finds it again by itself', async () => {
  await using engine = await SecondEngine.start(['--live-restore'], IMAGES)
  const { instance, project } = await deployed(engine)
  const spawned = await instance.hal(['spawn', '-d', '-n', 'w', '.', '--', 'sh', '-c', BEAT], { cwd: project })
  expect(spawned.code).toBe(0)
  await until('it runs', async () => (await beats(project)) > 2)
  await engine.end('SIGTERM')
  const before = await beats(project)
  // Nobody is told that there is nothing, and nobody waits for ever.
  expect(await instance.hal(['list'])).toMatchObject({ code: 3, stdout: '' })
  await until('it runs on', async () => (await beats(project)) > before + 5)
  await engine.begin()
  await until('it is found again', async () => (await instance.hal(['list'])).stdout.includes('running'), BACK)
  expect(await instance.hal(['stop', 'w'])).toMatchObject({ code: 0 })
  expect(await instance.hal(['wait', 'w'])).toMatchObject({ code: 143 })
  await instance.down()
}, 240_000)

test('an engine that ends its containers: up brings all back, and their ends are told', async () => {
  await using engine = await SecondEngine.start([], IMAGES)
  const { instance, project } = await deployed(engine)
  await instance.hal(['spawn', '-d', '-n', 'w', '.', '--', 'sleep', '1000'], { cwd: project })
  await instance.hal(['spawn', '-d', '-n', 'kept', '--no-rm', '.', '--', 'sleep', '1000'], { cwd: project })
  await engine.end('SIGTERM')
  await engine.begin()
  expect((await instance.hal(['up'])).code).toBe(0)
  const ended = await until('both ends are told', async () => {
    const workers = JSON.parse((await instance.hal(['list', '-a', '--json'])).stdout).workers as { reason: string }[]
    return workers.length === 2 && workers.every(({ reason }) => reason !== null) && workers
  })
  expect(ended.map(({ reason }) => reason)).toEqual(['engine-stopped', 'engine-stopped'])
  const again = await instance.hal(['spawn', '.', '--', 'echo', 'again'], { cwd: project })
  expect(again).toMatchObject({ code: 0, stdout: 'again\n' })
  await instance.down()
}, 240_000)
