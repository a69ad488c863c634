import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Entry, logName, readLog, removeLog, writeLog } from './worker-log.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'log-'))
  await mkdir(join(home, 'logs/workers'), { recursive: true })
})
afterAll(async () => await rm(home, { recursive: true }))

const AT = '2026-03-01T12:00:00.123456789Z'

async function* each(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries
}

async function roundTrip(entries: readonly Entry[]): Promise<Entry[]> {
  await writeLog(home, 'w.log', each(entries))
  return await all(readLog(home, 'w.log'))
}

function text(data: string | Uint8Array): Entry {
  return { at: AT, output: 'stdout', data: typeof data === 'string' ? Buffer.from(data) : Buffer.from(data) }
}

async function all(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const read: Entry[] = []
  for await (const entry of entries) read.push(entry)
  return read
}

test.each([
  ['nothing', []],
  ['an empty line', [text('\n')]],
  ['a part without an end', [text('no newline')]],
  ['a part of nothing', [text('')]],
  ['carriage returns', [text('10%\r20%\r\n'), text('\r\n'), text('\r')]],
  ['NUL bytes', [text('a\0b\n')]],
  ['every byte', [text(Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10))]],
  ['line ends of other conventions', [text('a\u2028b\u0085c\vd\fe\n')]],
  ['what looks like an entry', [text(`${AT} stderr F x\n`)]],
])('a log keeps %s', async (_what, entries) => {
  expect(await roundTrip(entries)).toEqual(entries)
})

test('a log keeps any bytes in their order, with their output and time', async () => {
  const data = fc
    .tuple(fc.uint8Array({ maxLength: 60 }), fc.boolean())
    .map(([bytes, full]) => Buffer.from([...bytes.filter((byte) => byte !== 10), ...(full ? [10] : [])]))
  const entry = fc.record({
    at: fc.constantFrom(AT, '2026-03-01T12:00:01Z'),
    output: fc.constantFrom('stdout' as const, 'stderr' as const),
    data,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 20 }), async (entries) => {
      expect(await roundTrip(entries)).toEqual(entries)
    }),
  )
})

test('a log longer than any read buffer is whole', async () => {
  const entries = Array.from({ length: 3000 }, (_, index) =>
    text(Buffer.alloc(index % 150, 0x80 + (index % 128)).toString('latin1') + '\n'),
  )
  expect(await roundTrip(entries)).toEqual(entries)
})

test('a log is of the format of container runtimes, for its owner only', async () => {
  await writeLog(home, 'w.log', each([text('out\n'), { at: AT, output: 'stderr', data: Buffer.from('part') }]))
  expect(await readFile(join(home, 'logs/workers/w.log'), 'utf8')).toBe(`${AT} stdout F out\n${AT} stderr P part\n`)
  expect((await stat(join(home, 'logs/workers/w.log'))).mode & 0o777).toBe(0o600)
})

test('a log that is written again begins anew', async () => {
  await roundTrip([text('long, long ago\n')])
  expect(await roundTrip([text('x\n')])).toEqual([text('x\n')])
})

test('a log whose writing fails says so', async () => {
  const failing = async function* (): AsyncGenerator<Entry> {
    yield text('one\n')
    throw new Error('the engine is gone')
  }
  await expect(writeLog(home, 'w.log', failing())).rejects.toThrow('the engine is gone')
  await expect(writeLog(join(home, 'nowhere'), 'w.log', each([]))).rejects.toThrow('ENOENT')
})

test('lines that are no entries, and a torn last one, are passed over', async () => {
  await writeFile(join(home, 'logs/workers/w.log'), `garbage\n${AT} stdout F one\n${AT} stdin F x\n${AT} stdout F to`)
  expect(await all(readLog(home, 'w.log'))).toEqual([text('one\n')])
})

test('a log that is gone is empty, one that cannot be read is a failure', async () => {
  await roundTrip([text('x\n')])
  await removeLog(home, 'w.log')
  await removeLog(home, 'w.log')
  expect(await all(readLog(home, 'w.log'))).toEqual([])
  await mkdir(join(home, 'logs/workers/d.log'))
  await expect(all(readLog(home, 'd.log'))).rejects.toThrow('EISDIR')
})

test('a log is named after its worker and request', () => {
  expect(logName('w1', 'r1234567')).toBe('w1-r1234567.log')
})
