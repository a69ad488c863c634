import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { anEnd, anOrder, aRecord, NOW, requestId } from '../domain/testing.ts'
import { finish } from './finish.ts'
import { removeWorker } from './remove.ts'
import { aContext, aStarted, type TestContext } from './testing.ts'

const KEPT = { command: ['echo', 'hello'], remove: false }

let context: TestContext
beforeEach(async () => {
  context = await aContext()
})
afterEach(() => context[Symbol.asyncDispose]())

/** A worker that has ended and whose container is kept. */
async function kept(name: string): Promise<void> {
  await aStarted(context, name, KEPT)
  for (const container of await context.roster.containers()) await finish(container, context)
}

/** What is left of a worker: its container, its record, its log. */
async function left(name: string): Promise<string[]> {
  const { engine, records, home } = context
  const request = requestId(`r-${name}`)
  const containers = (await engine.containers()).filter((one) => one.labels['hal9000.request'] === request)
  const log = await access(join(home, 'logs', 'workers', `${name}-${request}.log`)).then(
    () => ['log'],
    () => [],
  )
  return [...containers.map(({ state }) => `${state} container`), ...(records.get(request) ? ['record'] : []), ...log]
}

test('the container that was kept goes, record and log stay', async () => {
  await kept('w1')
  expect(await left('w1')).toEqual(['exited container', 'record', 'log'])
  const { worker, exit, notices } = await removeWorker('w1', false, context)
  expect([worker.state, worker.name, exit?.exitCode, notices]).toEqual(['ended', 'w1', 0, []])
  expect(await left('w1')).toEqual(['record', 'log'])
})

test('with them forgotten the name is unknown', async () => {
  await kept('w1')
  expect(await removeWorker('w1', true, context)).toMatchObject({ worker: { name: 'w1' }, exit: { exitCode: 0 } })
  expect(await left('w1')).toEqual([])
  await expect(removeWorker('w1', true, context)).rejects.toMatchObject({ code: 'not-found' })
})

test('an end that nobody has recorded yet is recorded first', async () => {
  await aStarted(context, 'w1', KEPT)
  expect(await left('w1')).toEqual(['exited container'])
  expect(await removeWorker('w1', false, context)).toMatchObject({ exit: { reason: 'exited', exitCode: 0 } })
  expect(await left('w1')).toEqual(['record', 'log'])
})

test('a container that is gone already is success, with a notice', async () => {
  await context.records.put(aRecord('w1', { end: anEnd() }))
  expect((await removeWorker('w1', false, context)).notices).toEqual([
    'The container of worker "w1" is gone already; its exit record and log are kept.',
  ])
  expect((await removeWorker('w1', true, context)).notices).toEqual([])
  expect(await left('w1')).toEqual([])
})

test('two who remove one worker at once are both done', async () => {
  await kept('w1')
  const both = await Promise.all([removeWorker('w1', true, context), removeWorker('w1', true, context)])
  expect(both.map(({ worker }) => worker.name)).toEqual(['w1', 'w1'])
  expect(await left('w1')).toEqual([])
})

test('what runs is refused with the word it was called by, and goes on', async () => {
  await aStarted(context, 'w1', { remove: false })
  for (const forget of [false, true]) {
    await expect(removeWorker('proj/w1', forget, context)).rejects.toMatchObject({
      code: 'wrong-state',
      message: 'Worker "w1" has not ended: it is running.',
      hint: 'coordinator stop proj/w1',
    })
  }
  expect(await left('w1')).toEqual(['running container'])
})

test('what is on its way is refused, also where its container has ended once already', async () => {
  await kept('w1')
  const order = anOrder('w1', KEPT)
  context.roster.underway.set(order.request, { order, state: 'starting' })
  await expect(removeWorker('w1', true, context)).rejects.toMatchObject({ code: 'wrong-state' })
  expect(await left('w1')).toEqual(['exited container', 'record', 'log'])
})

test('a container that runs is never removed, whatever its record says', async () => {
  await aStarted(context, 'w1')
  await context.records.put(aRecord('w1', { end: anEnd({ log: null }) }))
  await expect(removeWorker('w1', true, context)).rejects.toMatchObject({ code: 'worker-failed' })
  expect(await left('w1')).toEqual(['running container', 'record'])
})

test('what cannot be known now is refused', async () => {
  await context.records.put(aRecord('w1'))
  await expect(removeWorker('w1', true, context)).rejects.toMatchObject({
    message: 'Worker "w1" has not ended: it is lost.',
    hint: 'coordinator list',
  })
  expect(await left('w1')).toEqual(['record'])
})

test('of several that had the name the latest is forgotten, and the others are told of', async () => {
  const end = anEnd({ log: null })
  await context.records.put(aRecord('w1', { end, request: requestId('r-first'), createdAt: NOW - 90_000 }))
  await context.records.put(aRecord('w1', { end, request: requestId('r-second') }))
  expect((await removeWorker('w1', true, context)).notices).toEqual([
    'Other workers of that name are still known: coordinator list --all --filter name=w1',
  ])
  expect(context.records.all().map(({ request }) => request)).toEqual(['r-first0'])
})

test('a container that the engine does not let go of keeps its record', async () => {
  let now = NOW
  await using slow = await aContext(() => now)
  await aStarted(slow, 'w1', KEPT)
  slow.engine.remove = async () => {}
  const find = slow.engine.find.bind(slow.engine)
  slow.engine.find = async (id) => {
    now += 20_000
    return await find(id)
  }
  await expect(removeWorker('w1', true, slow)).rejects.toMatchObject({
    code: 'unexpected',
    hint: 'coordinator rm --record w1',
  })
  expect(slow.records.get('r-w10000')?.end).toMatchObject({ exitCode: 0 })
})
