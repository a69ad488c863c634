import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Status } from '../../coordinator/contract/worker.ts'
import manifest from '../../package.json' with { type: 'json' }
import { Instance } from '../support/instance.ts'
import { type Output, run, until } from '../support/run.ts'
import { SecondEngine } from './second-engine.ts'

const IMAGES = ['parent', 'worker'].map((name) => `hal9000/${name}:${manifest.version}`)
/**
 * Docker's socket in the parent is a bind mount: a file that the engine made anew is seen after a restart of the parent. One
 * that hung is looked at again within 15 s. Milliseconds.
 */
const BACK = 60_000
/** A call to the engine ends within 10 s; the rest is a busy machine's. Milliseconds. */
const DEADLINE = 18_000
/** How often each way is gone. */
const ROUNDS = process.env['HAL9000_LONG'] ? 5 : 1
const HOW = Array.from({ length: ROUNDS }, () => ['SIGTERM', 'SIGKILL'] as const).flat()

let engine: SecondEngine
let instance: Instance
let project: string

async function deploy(options: readonly string[]): Promise<void> {
  engine = await SecondEngine.start(options, IMAGES)
  const [image = ''] = IMAGES
  instance = await Instance.up({ HAL9000_DOCKER_SOCKET: engine.socket, HAL9000_PARENT_IMAGE: image })
  project = await instance.project('work')
}

async function remove(): Promise<void> {
  await instance.down()
  await engine[Symbol.asyncDispose]()
}

/** A worker that writes down that it lives, five times a second. */
const BEAT = 'while :; do echo >>beat; sleep 0.2; done'
const beats = async (): Promise<number> => (await readFile(join(project, 'beat'), 'utf8').catch(() => '')).length

async function beating(): Promise<number> {
  const before = await beats()
  const words = ['spawn', '-d', '-n', 'w', '.', '--', 'sh', '-c', BEAT]
  expect(await instance.hal(words, { cwd: project })).toMatchObject({ code: 0 })
  return await until('it runs', async () => (await beats()) > before + 2 && beats())
}

async function endsWell(): Promise<void> {
  await until('it is found again', async () => (await instance.hal(['list'])).stdout.includes('running'), BACK)
  expect(await instance.hal(['stop', 'w'])).toMatchObject({ code: 0 })
  expect(await instance.hal(['wait', 'w'])).toMatchObject({ code: 143 })
  expect(await instance.hal(['rm', '--record', 'w'])).toMatchObject({ code: 0 })
}

describe('an engine that keeps its containers', () => {
  beforeAll(() => deploy(['--live-restore']), 240_000)
  afterAll(remove)

  test.each(HOW)(
    'is ended with %s and started: workers run on, the parent finds it again by itself',
    async (signal) => {
      await beating()
      await engine.end(signal)
      const before = await beats()
      // Nobody is told that there is nothing, and nobody waits for ever.
      expect(await instance.hal(['list'])).toMatchObject({ code: 3, stdout: '' })
      await until('it runs on', async () => (await beats()) > before + 5)
      await engine.begin()
      await endsWell()
    },
    240_000,
  )

  test('hangs for longer than a call may take: commands say so, and all goes on by itself', async () => {
    const before = await beating()
    const parent = await engine.docker('inspect', '--format', '{{.State.Pid}}', instance.parent)
    // The engine could not bring us in.
    const inside = (...words: string[]): Promise<Output> =>
      run('nsenter', ['--target', parent, '--mount', '--pid', '--net', ...words])
    await engine.signal('SIGSTOP')
    try {
      const [seen, ...outputs] = await Promise.all([
        inside('coordinator', 'status', '--json'),
        inside('coordinator', 'list'),
        inside('coordinator', 'stop', 'w'),
        inside('coordinator', 'exec', 'w', '--', 'true'),
        inside('spawn', '-d', project, '--', 'true'),
        instance.hal(['list']),
      ])
      expect(outputs.map(({ code, stdout, ms }) => [code, stdout, ms < DEADLINE])).toEqual(
        outputs.map(() => [3, '', true]),
      )
      expect(JSON.parse(seen.stdout) as Status).toMatchObject({ state: 'degraded', workers: null })
      expect(seen.code).toBe(4)
      await until('the worker runs on', async () => (await beats()) > before + 5)
    } finally {
      await engine.signal('SIGCONT')
    }
    const state = async (): Promise<string> =>
      (JSON.parse((await inside('coordinator', 'status', '--json')).stdout) as Status).state
    await until('it is ready again', async () => (await state()) === 'ready', BACK)
    await endsWell()
  }, 240_000)
})

describe('an engine that ends its containers', () => {
  beforeAll(() => deploy([]), 240_000)
  afterAll(remove)

  test.each(HOW)(
    'is ended with %s and started: up brings all back, and their ends are told',
    async (signal) => {
      await instance.hal(['spawn', '-d', '-n', 'w', '.', '--', 'sleep', '1000'], { cwd: project })
      await instance.hal(['spawn', '-d', '-n', 'kept', '--no-rm', '.', '--', 'sleep', '1000'], { cwd: project })
      await engine.end(signal)
      await engine.begin()
      expect((await instance.hal(['up'])).code).toBe(0)
      const ended = await until('both ends are told', async () => {
        const workers = JSON.parse((await instance.hal(['list', '-a', '--json'])).stdout).workers as {
          reason: string
        }[]
        return workers.length === 2 && workers.every(({ reason }) => reason !== null) && workers
      })
      expect(ended.map(({ reason }) => reason)).toEqual(['engine-stopped', 'engine-stopped'])
      const again = await instance.hal(['spawn', '-n', 'again', '.', '--', 'echo', 'again'], { cwd: project })
      expect(again).toMatchObject({ code: 0, stdout: 'again\n' })
      expect(await instance.hal(['rm', '--record', 'w', 'kept', 'again'])).toMatchObject({ code: 0 })
    },
    240_000,
  )
})
