import { expect, test } from 'vitest'
import { anEnd, aRecord, NOW } from '../domain/testing.ts'
import { putEnd, putReady } from './milestones.ts'
import { type TestContext, aContext } from './testing.ts'

const starting = aRecord('w1', { readyAt: null, timeout: 5_000 })
const kinds = ({ events }: TestContext): string[] => events.map(({ kind }) => kind)

test('ready is written, with the time limit that begins then, and told', async () => {
  await using context = await aContext()
  await context.records.put(starting)
  await putReady(starting, NOW, 'ready after 5 ms', context)
  expect(context.records.get(starting.request)).toEqual({ ...starting, readyAt: NOW, deadline: NOW + 5_000 })
  expect(context.events).toMatchObject([{ kind: 'worker-ready', worker: 'w1', message: 'ready after 5 ms' }])
})

test('an end is written, with when that was, and told', async () => {
  await using context = await aContext()
  await putEnd(starting, anEnd({ exitCode: 4 }), context)
  expect(context.records.get(starting.request)).toMatchObject({ end: { exitCode: 4 }, endWrittenAt: NOW })
  expect(context.events).toMatchObject([{ kind: 'worker-ended', exit: { reason: 'exited', exitCode: 4 } }])
})

test('whoever comes second changes nothing and tells nothing', async () => {
  await using context = await aContext()
  await context.records.put(starting)
  await Promise.all([1, 2].map((count) => putReady(starting, NOW + count, 'ready', context)))
  await Promise.all([3, 4].map((exitCode) => putEnd(starting, anEnd({ exitCode }), context)))
  expect(kinds(context)).toEqual(['worker-ready', 'worker-ended'])
  expect(context.records.get(starting.request)).toMatchObject({ readyAt: NOW + 1, end: { exitCode: 3 } })
})

test('what was written since the caller has read stays', async () => {
  await using context = await aContext()
  const stop = { reason: 'stopped' as const, at: NOW, grace: 10 }
  await context.records.put({ ...starting, stop, limitHitAt: NOW })
  await putReady(starting, NOW, 'ready', context)
  await putEnd(starting, anEnd(), context)
  expect(context.records.get(starting.request)).toMatchObject({ stop, limitHitAt: NOW, readyAt: NOW })
})

test('what could not be written is not told', async () => {
  await using context = await aContext()
  const full = { ...context, records: { ...context.records, put: () => Promise.reject(new Error('ENOSPC')) } }
  await expect(putReady(starting, NOW, 'ready', full)).rejects.toThrow('ENOSPC')
  await expect(putEnd(starting, anEnd(), full)).rejects.toThrow('ENOSPC')
  expect(context.events).toEqual([])
})
