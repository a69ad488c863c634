import { afterEach, expect, test, vi } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { LogsQuery } from '../contract/request.ts'
import { anEnd, aRecord, NOW } from '../domain/testing.ts'
import { fromRecord } from '../domain/worker-view.ts'
import { type Entry, readLog, writeLog } from '../state/worker-log.ts'
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
  const { entries } = await workerLogs(worker, { ...QUERY, ...query }, context, AbortSignal.timeout(10_000))
  for await (const { data } of entries) text += data.toString()
  return text
}

/** An entry, and nothing more until the signal. */
async function* silentAfter(entry: Entry, signal: AbortSignal): AsyncGenerator<Entry> {
  yield entry
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
}

afterEach(() => vi.useRealTimers())

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

test('a follower whose stream died without a word has the rest from the kept log', async () => {
  await using context = await aContext()
  await context.records.put(record)
  await keepLog(context)
  const { value } = await readLog(context.home, 'w1.log').next()
  context.engine.logs = async (_id, { signal }) => silentAfter(value as Entry, signal as AbortSignal)
  const reading = textOf(context, { follow: true })
  vi.useFakeTimers()
  await context.records.put({ ...record, end: anEnd() })
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await reading).toBe('1\n2\n3\n')
})

test('an engine that is away is told before there is an answer, not in the middle of one', async () => {
  await using context = await aContext()
  await context.records.put(record)
  context.engine.away = new Failure('engine-unreachable', 'The engine is away.')
  const opening = workerLogs(worker, { ...QUERY, follow: true }, context, AbortSignal.timeout(10_000))
  await expect(opening).rejects.toMatchObject({ code: 'engine-unreachable' })
})
