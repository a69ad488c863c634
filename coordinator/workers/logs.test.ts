import { expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { LogsQuery } from '../contract/request.ts'
import { anEnd, aRecord, NOW } from '../domain/testing.ts'
import { fromRecord } from '../domain/worker-view.ts'
import { type Entry, writeLog } from '../state/worker-log.ts'
import { cutNotice, workerLogs } from './logs.ts'
import { type TestContext, aContext } from './testing.ts'

const QUERY: LogsQuery = { follow: false, timestamps: false }

/** A worker that ran when it was looked for, and whose container was removed before its log was asked for. */
const record = aRecord()
const worker = { ...fromRecord(record), state: 'running' as const }

async function keepLog(context: TestContext): Promise<void> {
  const line = (second: number): Entry => ({
    at: new Date(NOW + second * 1000).toISOString(),
    output: 'stdout',
    data: Buffer.from(`${second}\n`),
  })
  await writeLog(
    context.home,
    'w1.log',
    (async function* () {
      for (const second of [1, 2, 3]) yield line(second)
    })(),
  )
}

async function textOf(context: TestContext, query: Partial<LogsQuery>): Promise<string> {
  let text = ''
  const entries = await workerLogs(worker, { ...QUERY, ...query }, context, AbortSignal.timeout(10_000))
  for await (const { data } of entries) text += data.toString()
  return text
}

test.each<[Partial<LogsQuery>, string]>([
  [{}, '1\n2\n3\n'],
  [{ tail: 2 }, '2\n3\n'],
  [{ since: NOW + 2000 }, '2\n3\n'],
  [{ follow: true }, '1\n2\n3\n'],
  [{ follow: true, tail: 1 }, '3\n'],
])('whoever asks in the instant in which the container is removed gets the kept log: %j', async (query, text) => {
  await using context = await aContext()
  await context.records.put(record)
  await keepLog(context)
  const reading = textOf(context, query)
  await context.records.put({ ...record, end: anEnd() })
  expect(await reading).toBe(text)
  // And afterwards, without a wait.
  expect(await textOf(context, query)).toBe(text)
})

test('of a container that someone else removed there is no output, and that is said', async () => {
  await using context = await aContext()
  await context.records.put({ ...record, end: anEnd({ log: null }) })
  expect(await textOf(context, {})).toBe('')
  expect(cutNotice(worker, context)).toBe('No output was kept of this worker.')
})

test('an engine that is away is told before there is an answer, not in the middle of one', async () => {
  await using context = await aContext()
  await context.records.put(record)
  context.engine.away = new Failure('engine-unreachable', 'The engine is away.')
  const opening = workerLogs(worker, { ...QUERY, follow: true }, context, AbortSignal.timeout(10_000))
  await expect(opening).rejects.toMatchObject({ code: 'engine-unreachable' })
})
