import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anEnd, aRecord, NOW } from '../domain/testing.ts'
import type { WorkerRecord } from '../domain/worker-record.ts'
import { openRecords } from './records.ts'

let directory: string
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'records-')), 'sessions')
})
afterEach(async () => await rm(join(directory, '..'), { recursive: true }))

/** A record of a worker that ended so many seconds ago. */
function ended(name: string, ago: number, log: string | null = `${name}.log`): WorkerRecord {
  return aRecord(name, { end: anEnd({ endedAt: new Date(NOW - ago * 1000).toISOString(), log }) })
}

function names(records: { all(): WorkerRecord[] }): string[] {
  return records
    .all()
    .map(({ name }) => name)
    .toSorted()
}

describe('records', () => {
  test('are there again when they are opened again', async () => {
    const records = await openRecords(directory)
    await records.put(aRecord('w1'))
    await records.put(ended('w2', 5))
    await records.put(aRecord('w1', { readyAt: 17 }))
    const again = await openRecords(directory)
    expect(again.problems).toEqual([])
    expect(again.get('r-w10000')).toEqual(aRecord('w1', { readyAt: 17 }))
    expect(again.get('r-w20000')).toEqual(ended('w2', 5))
    expect(names(again)).toEqual(['w1', 'w2'])
    expect(await readdir(directory)).toEqual(['r-w10000.json', 'r-w20000.json'])
  })

  test('that cannot be read are reported and kept, and hide no other', async () => {
    await (await openRecords(directory)).put(aRecord('w1'))
    const bad = {
      'torn.json': '{"schema":1,"req',
      'newer.json': JSON.stringify({ ...aRecord('w2'), schema: 2 }),
      'empty.json': '',
    }
    for (const [file, text] of Object.entries(bad)) await writeFile(join(directory, file), text)
    await writeFile(join(directory, 'notes.txt'), 'mine')
    const records = await openRecords(directory)
    expect([...records.problems].toSorted()).toEqual([
      "empty.json is not a worker's record",
      "newer.json is not a worker's record",
      "torn.json is not a worker's record",
    ])
    expect(names(records)).toEqual(['w1'])
    await records.prune({ count: 0, age: 0, logBytes: 1e9 }, NOW)
    for (const [file, text] of Object.entries(bad)) expect(await readFile(join(directory, file), 'utf8')).toBe(text)
  })

  test('are written in the order in which they were given', async () => {
    const records = await openRecords(directory)
    await Promise.all(Array.from({ length: 30 }, (_, index) => records.put(aRecord('w1', { readyAt: index }))))
    expect((await openRecords(directory)).get('r-w10000')?.readyAt).toBe(29)
  })

  test('that cannot be stored fail, and can be stored later', async () => {
    const records = await openRecords(directory)
    await rm(directory, { recursive: true })
    await expect(records.put(aRecord('w1'))).rejects.toThrow(`The state directory ${directory} is not there.`)
    const again = await openRecords(directory)
    await records.put(aRecord('w1'))
    expect(names(again)).toEqual([])
    expect(names(await openRecords(directory))).toEqual(['w1'])
  })

  test('an end that could not be stored has not come', async () => {
    const records = await openRecords(directory)
    await records.put(aRecord('w1'))
    await rm(directory, { recursive: true })
    await expect(records.put(ended('w1', 1))).rejects.toThrow(`The state directory ${directory} is not there.`)
    expect(records.get('r-w10000')).toEqual(aRecord('w1'))
    await expect(records.put(ended('w2', 1))).rejects.toThrow(`The state directory ${directory} is not there.`)
    expect(records.get('r-w20000')).toBeUndefined()
  })
})

test('a record that is forgotten is gone, also where it was about to be written', async () => {
  const records = await openRecords(directory)
  await records.put(ended('w2', 5))
  const writing = records.put(ended('w1', 5))
  await records.forget('r-w10000')
  await writing
  expect(records.get('r-w10000')).toBeUndefined()
  await records.forget('r-nobody')
  expect(names(await openRecords(directory))).toEqual(['w2'])
})

describe('pruning', () => {
  test('forgets the oldest ends beyond the count, and says which logs go', async () => {
    const records = await openRecords(directory)
    for (const record of [ended('w1', 30), ended('w2', 10), ended('w3', 20, null), ended('w4', 40)])
      await records.put(record)
    expect((await records.prune({ count: 1, age: 1e9, logBytes: 1e9 }, NOW)).toSorted()).toEqual(['w1.log', 'w4.log'])
    expect(names(records)).toEqual(['w2'])
    expect(names(await openRecords(directory))).toEqual(['w2'])
  })

  test('forgets ends that are too old', async () => {
    const records = await openRecords(directory)
    for (const record of [ended('w1', 20), ended('w2', 21)]) await records.put(record)
    expect(await records.prune({ count: 9, age: 20_000, logBytes: 1e9 }, NOW)).toEqual(['w2.log'])
    expect(names(await openRecords(directory))).toEqual(['w1'])
  })

  test('leaves an end to whoever waits for it: it goes 15 s after it was written, not before', async () => {
    const records = await openRecords(directory)
    await records.put({ ...ended('w1', 99), endWrittenAt: NOW - 15_000 })
    await records.put({ ...ended('w2', 99), endWrittenAt: NOW - 15_001 })
    expect(await records.prune({ count: 0, age: 0, logBytes: 0 }, NOW)).toEqual(['w2.log'])
  })

  test('forgets the oldest when their logs together are too large', async () => {
    const records = await openRecords(directory)
    for (const [name, ago] of [
      ['w1', 30],
      ['w2', 10],
      ['w3', 20],
    ] as const) {
      const record = ended(name, ago)
      await records.put({ ...record, end: record.end && { ...record.end, logBytes: 40 } })
    }
    expect(await records.prune({ count: 9, age: 1e9, logBytes: 100 }, NOW)).toEqual(['w1.log'])
  })

  test('keeps the end of a worker whose container is still there', async () => {
    const records = await openRecords(directory)
    for (const name of ['w1', 'w2']) await records.put(ended(name, 30))
    const first = records.all().find((record) => record.name === 'w1')
    const present = new Set([first?.request ?? ''])
    expect(await records.prune({ count: 0, age: 0, logBytes: 0 }, NOW, present)).toEqual(['w2.log'])
    expect(names(records)).toEqual(['w1'])
  })

  test('never forgets a worker that has not ended', async () => {
    const records = await openRecords(directory)
    await records.put(aRecord('w1', { createdAt: 0 }))
    expect(await records.prune({ count: 0, age: 0, logBytes: 1e9 }, NOW)).toEqual([])
    expect(names(await openRecords(directory))).toEqual(['w1'])
  })
})

describe('waiting for an end', () => {
  test('is over at once when there is one, and later when it comes', async () => {
    const records = await openRecords(directory)
    await records.put(ended('w1', 5))
    expect((await records.ended('r-w10000')).end?.exitCode).toBe(0)
    const waiters = [records.ended('r-w20000'), records.ended('r-w20000')]
    await records.put(aRecord('w2'))
    await records.put(ended('w2', 5))
    expect(await Promise.all(waiters)).toEqual([ended('w2', 5), ended('w2', 5)])
  })

  test('can be given up, by one and not for the others', async () => {
    const records = await openRecords(directory)
    const giveUp = new AbortController()
    const one = records.ended('r-w10000', giveUp.signal)
    const other = records.ended('r-w10000')
    giveUp.abort(new Error('enough'))
    await expect(one).rejects.toThrow('enough')
    await records.put(ended('w1', 1))
    expect((await other).name).toBe('w1')
  })

  test('ends at once when it was given up before it began', async () => {
    const records = await openRecords(directory)
    await expect(records.ended('r-w10000', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})
