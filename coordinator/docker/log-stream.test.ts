import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { encodeFrame } from '../contract/frames.ts'
import { logEntries } from './log-stream.ts'

const ENTRY = encodeFrame({ output: 'stdout', data: Buffer.from('2030-01-01T00:00:00.1Z a line\n') })
const SHORT = 30

test('a log whose rest does not come fails, and its connection is closed', async () => {
  const stream = new PassThrough()
  stream.write(ENTRY)
  const entries = logEntries(stream, { silence: SHORT })
  await expect(entries.next()).resolves.toMatchObject({ value: { at: '2030-01-01T00:00:00.1Z' } })
  await expect(entries.next()).rejects.toMatchObject({ code: 'engine-unreachable' })
  expect(stream.destroyed).toBe(true)
})

test('a reader may take its time', async () => {
  const stream = new PassThrough()
  const entries = logEntries(stream, { silence: SHORT })
  stream.write(ENTRY)
  await entries.next()
  await sleep(2 * SHORT)
  stream.end(ENTRY)
  await expect(entries.next()).resolves.toMatchObject({ done: false })
  await expect(entries.next()).resolves.toMatchObject({ done: true })
})

test('what is followed may say nothing for ever', async () => {
  const stream = new PassThrough()
  const next = logEntries(stream, {}).next()
  await sleep(2 * SHORT)
  stream.end(ENTRY)
  await expect(next).resolves.toMatchObject({ done: false })
})
