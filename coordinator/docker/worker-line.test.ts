import { Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { encodeFrame } from '../contract/frames.ts'
import { workerLine } from './worker-line.ts'

const MARK = '\u001Ehal9000 '

function stderr(text: string): Buffer {
  return encodeFrame({ output: 'stderr', data: Buffer.from(text) })
}

/** A line, and the worker's end of it. */
function aLine() {
  const [ours, worker] = duplexPair()
  return { line: workerLine(ours), worker, ours }
}

test('the worker is heard, whatever the pieces in which its word arrives', async () => {
  const { line, worker } = aLine()
  for (const byte of Buffer.concat([stderr(MARK), stderr('rea'), stderr('dy\n')])) worker.write(Buffer.of(byte))
  expect(await line.heard(5000)).toEqual({ said: 'ready' })
  // Asked again, the same.
  expect(await line.heard(5000)).toEqual({ said: 'ready' })
})

test('only the first word counts', async () => {
  const { line, worker } = aLine()
  worker.write(Buffer.concat([stderr(`${MARK}refused session broken\n`), stderr(`${MARK}ready\n`)]))
  expect(await line.heard(5000)).toEqual({ said: 'refused', word: 'session', message: 'broken' })
})

test('what others print is not the worker’s word', async () => {
  const { line, worker } = aLine()
  worker.write(encodeFrame({ output: 'stdout', data: Buffer.from(`${MARK}ready\n`) }))
  worker.write(stderr('tini: a warning\n'))
  worker.write(stderr(`${MARK}refused session x\n`))
  expect(await line.heard(5000)).toMatchObject({ said: 'refused' })
})

test.each([
  ['ends without a word', (worker: Duplex) => void worker.end()],
  ['ends in the middle of a word', (worker: Duplex) => void worker.end(stderr(`${MARK}read`))],
  ['breaks off', (worker: Duplex, ours: Duplex) => void (worker.destroy(), ours.destroy(new Error('ECONNRESET')))],
  ['says something that is no stream of frames', (worker: Duplex) => void worker.write('HTTP/1.1 400 Bad Request\r\n')],
  ['says much and nothing of it is a word', (worker: Duplex) => void worker.write(stderr('x'.repeat(70_000)))],
])('nothing is heard of a worker that %s', async (_what, act) => {
  const { line, worker, ours } = aLine()
  act(worker, ours)
  expect(await line.heard(5000)).toBeUndefined()
})

test('a worker that says nothing is given up at the deadline', async () => {
  await expect(aLine().line.heard(20)).rejects.toMatchObject({
    code: 'worker-failed',
    message: 'The worker said nothing within 0.02 s.',
  })
})

test('the assignment arrives whole, and stdin is closed behind it', async () => {
  const { line, worker } = aLine()
  const read = worker.toArray()
  await line.assign(Buffer.from('name=w1\0end=\0'))
  expect(Buffer.concat(await read).toString()).toBe('name=w1\0end=\0')
})

test('an assignment that cannot be sent is not taken for sent', async () => {
  const closed = aLine()
  closed.line.close()
  await expect(closed.line.assign(Buffer.from('x'))).rejects.toThrow(/destroyed/)

  const broken = workerLine(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(new Error('EPIPE')) }))
  await expect(broken.assign(Buffer.from('x'))).rejects.toThrow('EPIPE')
})
