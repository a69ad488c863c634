import { afterAll, beforeAll, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import type { ReconcilePlan } from '../../coordinator/contract/reconcile.ts'
import type { Status } from '../../coordinator/contract/worker.ts'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'
import { Chance } from './chance.ts'
import { SecondEngine } from './second-engine.ts'
import { ledgerOf, stream } from './stream.ts'
import { type Place, TROUBLES } from './troubles.ts'

const LONG = Boolean(process.env['HAL9000_LONG'])
/** How long everything happens at random: an hour in the long form; the short form leaves it to the others. Milliseconds. */
const SPAN = Number(process.env['HAL9000_SOAK'] ?? (LONG ? 3600 : 0)) * 1000
const WORKERS = LONG ? 30 : 6
/** How long a worker lives at most. Seconds. */
const LIFE = LONG ? 60 : 6
/** Between two troubles. Milliseconds. */
const QUIET = LONG ? 15_000 : 2_000
/** How long after the last trouble all must be well again, and what a busy machine may take more. Milliseconds. */
const CONVERGED = 15_000
const SEED = Number(process.env['HAL9000_SEED'] ?? Date.now() % 100_000)

const [parent = '', worker = '', ultramin = ''] = ['parent', 'worker', 'worker-ultramin'].map(
  (name) => `hal9000/${name}:${manifest.version}`,
)

let engine: SecondEngine
let instance: Instance
let project: string
let foreign: string[]
let foreignState: string

beforeAll(async () => {
  // An engine of its own, because it is one of those that are befallen.
  engine = await SecondEngine.start(['--live-restore'], [parent, worker, ultramin])
  const there = { HAL9000_DOCKER_SOCKET: engine.socket, HAL9000_PARENT_IMAGE: parent }
  instance = await Instance.up(there, engine.socket)
  project = await instance.project('work')
  foreign = await makeForeign()
  foreignState = await stateOf(foreign)
})
afterAll(async () => {
  await instance.down()
  await engine[Symbol.asyncDispose]()
})

test.runIf(SPAN > 0)(
  `${SPAN / 1000} s of all troubles at random with ${WORKERS} workers: nothing lost, nothing twice, no orphans, nobody else touched`,
  async () => {
    process.stderr.write(`seed ${SEED}\n`)
    const chance = new Chance(SEED)
    const until = Date.now() + SPAN
    let over = false
    const streams = Array.from({ length: WORKERS }, (_, index) =>
      stream(`s${index}`, { instance, project, seconds: LIFE, chance: new Chance(SEED + index) }, () => !over),
    )
    const befallen: string[] = []
    try {
      for (const name of names(chance, until)) {
        await new Promise((resolve) => setTimeout(resolve, chance.between(QUIET / 3, QUIET)))
        befallen.push(name)
        await befall(name, { instance, engine, chance })
      }
    } finally {
      over = true
    }
    const last = Date.now()
    await isWell(last)
    const converged = Date.now() - last
    const all = await Promise.all(streams)
    const [asked, acknowledged] = [all.reduce((sum, one) => sum + one.asked, 0), all.flatMap((one) => one.acknowledged)]
    process.stderr.write(
      `${befallen.length} troubles, ${asked} workers asked for, ${acknowledged.length} acknowledged, converged ${converged} ms after the last\n`,
    )
    expect(all.flatMap(({ wrong }) => wrong)).toEqual([])
    expect(await ledgerOf(project, acknowledged)).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(WORKERS)
    await vanished()
    expect(await stateOf(foreign)).toBe(foreignState)
    expect(converged).toBeLessThan(CONVERGED * 3)
  },
  SPAN + 1_200_000,
)

function* names(chance: Chance, until: number): Generator<string> {
  while (Date.now() < until) yield chance.oneOf(Object.keys(TROUBLES))
}

async function befall(name: string, place: Place): Promise<void> {
  const since = Date.now()
  await TROUBLES[name]?.(place)
  process.stderr.write(`${new Date(since).toISOString()} ${name}, ${Date.now() - since} ms\n`)
}

/** The coordinator is ready, and has nothing to do but what workers that end just now give it. */
async function isWell(since: number): Promise<void> {
  await until(
    'all is well again',
    async () => {
      const status = await answerOf<Status>(['status'])
      const plan = await answerOf<ReconcilePlan>(['reconcile', '--dry-run'])
      return status?.ready === true && plan?.steps.every(({ do: step }) => ['record-end', 'remove'].includes(step))
    },
    since - Date.now() + 120_000,
  )
}

/** No container of a worker is left. */
async function vanished(): Promise<void> {
  await until('no worker is left', async () => (await instance.workerContainers()).length === 0, 60_000)
}

async function answerOf<T>(words: string[]): Promise<T | undefined> {
  return await instance.json<T>(words).catch(() => undefined)
}

/**
 * Makes containers that are none of ours: one under a name like a worker's, one of another instance, one that only claims to
 * be managed. Their names.
 */
async function makeForeign(): Promise<string[]> {
  const other = `${instance.name}2`
  const all = [
    [`${instance.name}-0123abcd-w1`],
    [`${other}-0123abcd-w1`, ...labels({ managed: 'true', instance: other })],
    ['somebody-elses', ...labels({ managed: 'true', role: 'worker' })],
  ]
  for (const words of all) await instance.ask('run', '-d', '--name', ...words, '--entrypoint', 'sleep', ultramin, '1d')
  return all.flatMap(([name = '']) => [name])
}

/** Which containers these are, and since when they run. */
async function stateOf(names: readonly string[]): Promise<string> {
  return await instance.ask('container', 'inspect', '-f', '{{.Id}} {{.State.Running}} {{.State.StartedAt}}', ...names)
}

function labels(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--label', `hal9000.${name}=${value}`])
}
