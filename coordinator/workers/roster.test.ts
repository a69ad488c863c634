import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MemoryEngine } from '../docker/memory-engine.ts'
import { anOrder, INSTANCE, NOW } from '../domain/testing.ts'
import { Roster } from './roster.ts'
import { aContext } from './testing.ts'

const order = anOrder('w1')

let roster: Roster

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  await using context = await aContext()
  roster = new Roster(new MemoryEngine(INSTANCE, () => NOW), context.records, INSTANCE, () => NOW)
})
afterEach(() => {
  vi.useRealTimers()
})

test('who asks before the queue was read waits until it is', async () => {
  const asked = [roster.find('w1'), roster.workers(), roster.requests()]
  await vi.advanceTimersByTimeAsync(1_000)
  roster.underway.set(order.request, { order, state: 'queued' })
  roster.resume()
  const worker = { name: 'w1', state: 'queued' }
  expect(await Promise.all(asked)).toMatchObject([worker, [worker], [{ order }]])
})

test('where the queue cannot be read, what is known is told, and of the rest that it may be there', async () => {
  const known = anOrder('w2')
  roster.underway.set(known.request, { order: known, state: 'starting' })
  const asked = [roster.workers(), roster.find('w2')]
  const unknown = [roster.find('w1'), roster.requests()].map((asked) => asked.catch((error: unknown) => error))
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await Promise.all(asked)).toMatchObject([[{ name: 'w2' }], { name: 'w2' }])
  for (const failure of await Promise.all(unknown)) expect(failure).toMatchObject({ code: 'not-ready', exitCode: 4 })
  roster.resume()
  await expect(roster.find('w1')).rejects.toMatchObject({ code: 'not-found', exitCode: 5 })
})
