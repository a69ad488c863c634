import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContainerId } from '../contract/names.ts'
import { anEnd, anOrder, aRecord } from '../domain/testing.ts'
import { statsOf, statsOfAll } from './stats.ts'
import { aContext, aStarted, type TestContext } from './testing.ts'

let context: TestContext
beforeEach(async () => {
  context = await aContext()
})
afterEach(() => context[Symbol.asyncDispose]())

test('figures stand beside the limits', async () => {
  const id = await aStarted(context, 'w1')
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
  const first = await aStarted(context, 'w1')
  await aStarted(context, 'w2')
  const { engine } = context
  const usage = engine.usage.bind(engine)
  const measuring: ContainerId[] = []
  const all = Promise.withResolvers<void>()
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
  await context.records.put(aRecord('over', { end: anEnd() }))
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
  const id = await aStarted(context, 'w1')
  context.engine.usage = async () => await context.engine.stop(id, 0).then(() => undefined)
  await expect(statsOf('w1', context)).rejects.toMatchObject({ code: 'wrong-state', hint: 'coordinator inspect w1' })
})

test('an engine that is away is no empty answer', async () => {
  await aStarted(context, 'w1')
  const away = new Error('away')
  context.engine.usage = () => Promise.reject(away)
  await expect(statsOfAll(context)).rejects.toBe(away)
})
