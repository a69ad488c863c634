import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContainerId } from '../contract/names.ts'
import { MemoryEngine } from '../docker/memory-engine.ts'
import { workerContainerSpec } from '../domain/container-spec.ts'
import { anEnd, anOrder, aRecord, INSTANCE, NOW } from '../domain/testing.ts'
import { openRecords, type Records } from '../state/records.ts'
import { Roster } from './roster.ts'
import { statsOf, statsOfAll } from './stats.ts'

let home: string
let records: Records
let engine: MemoryEngine
let context: { engine: MemoryEngine; roster: Roster; now: () => number }

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'stats-'))
  records = await openRecords(join(home, 'sessions'))
  engine = new MemoryEngine(INSTANCE, () => NOW)
  engine.images.set('hal9000/worker:0.1.0', { id: 'sha256:1', labels: {} })
  context = { engine, roster: new Roster(engine, records, INSTANCE), now: () => NOW }
})
afterEach(() => rm(home, { recursive: true }))

/** The container of a worker that runs. */
async function running(name: string): Promise<ContainerId> {
  const id = await engine.create(workerContainerSpec(INSTANCE, anOrder(name), 'none'))
  if (id === 'taken') throw new Error('taken')
  await engine.start(id)
  return id
}

test('figures stand beside the limits', async () => {
  const id = await running('w1')
  expect(await statsOf('w1', context)).toEqual({
    at: '2026-03-01T12:00:00.000Z',
    workers: [
      {
        name: 'w1',
        project: '/home/me/proj',
        id,
        request: 'r-w10000',
        cpu: { cores: 0, limit: 1 },
        memory: { bytes: 2 ** 20, limit: 2 ** 30 },
        processes: { current: 1, limit: 100 },
      },
    ],
  })
})

test('all that run are measured at once, and one that ends meanwhile is left out', async () => {
  const first = await running('w1')
  await running('w2')
  const measuring: ContainerId[] = []
  const all = Promise.withResolvers<void>()
  const usage = engine.usage.bind(engine)
  engine.usage = async (id) => {
    measuring.push(id)
    if (measuring.length === 2) all.resolve()
    await all.promise
    if (id === first) await engine.stop(id, 0)
    return await usage(id)
  }
  expect((await statsOfAll(context)).workers.map(({ name }) => name)).toEqual(['w2'])
})

test('what does not run is not measured', async () => {
  await records.put(aRecord('over', { end: anEnd() }))
  context.roster.underway.set(anOrder('late').request, { order: anOrder('late'), state: 'queued' })
  expect((await statsOfAll(context)).workers).toEqual([])
  await expect(statsOf('over', context)).rejects.toMatchObject({
    code: 'wrong-state',
    message: 'Worker "over" has ended and uses nothing.',
    hint: 'coordinator inspect over',
  })
  await expect(statsOf('late', context)).rejects.toMatchObject({
    code: 'wrong-state',
    message: 'Worker "late" does not run: it is queued.',
  })
  await expect(statsOf('nobody', context)).rejects.toMatchObject({ code: 'not-found' })
})

test('a named worker that ends while it is measured has ended', async () => {
  const id = await running('w1')
  engine.usage = async () => await engine.stop(id, 0).then(() => undefined)
  await expect(statsOf('w1', context)).rejects.toMatchObject({ code: 'wrong-state', hint: 'coordinator inspect w1' })
})

test('an engine that is away is no empty answer', async () => {
  await running('w1')
  const away = new Error('away')
  engine.usage = () => Promise.reject(away)
  await expect(statsOfAll(context)).rejects.toBe(away)
})
