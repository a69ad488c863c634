import { Readable } from 'node:stream'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame } from '../contract/frames.ts'
import { demultiplex } from './demultiplex.ts'

const SENT: Frame[] = [
  { output: 'stdout', data: Buffer.from('out\r\n') },
  { output: 'stderr', data: Buffer.from([0, 255, 128]) },
  { output: 'stdout', data: Buffer.alloc(100_000, 7) },
]
const BYTES = Buffer.concat(SENT.map(encodeFrame))

async function frames(chunks: readonly Buffer[]): Promise<Frame[]> {
  return await Readable.from(demultiplex(Readable.from(chunks))).toArray()
}

test('the frames of a stream are the same wherever it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(BYTES.length), { maxLength: 6 }), async (places) => {
      const points = [0, ...places, BYTES.length].sort((a, b) => a - b)
      expect(await frames(points.slice(1).map((point, index) => BYTES.subarray(points[index], point)))).toEqual(SENT)
    }),
    { numRuns: 50 },
  )
})

test('a stream without frames is empty', async () => {
  expect(await frames([])).toEqual([])
})

test.each([1, 7, 8, BYTES.length - 1])(
  'a stream that ends after %d bytes has lost output, and says so',
  async (length) => {
    await expect(frames([BYTES.subarray(0, length)])).rejects.toThrow('the stream ended inside of a frame')
  },
)

test('a stream of something else is refused', async () => {
  await expect(frames([Buffer.from('plain text of a terminal')])).rejects.toThrow(RangeError)
})

test('nothing is read ahead of what was taken, and the stream is closed when its reader leaves', async () => {
  const done: string[] = []
  async function* source(): AsyncGenerator<Buffer> {
    try {
      for (const frame of SENT) {
        done.push(`gave ${frame.data.length}`)
        yield encodeFrame(frame)
      }
    } finally {
      done.push('closed')
    }
  }
  const reader = demultiplex(source())
  await reader.next()
  expect(done).toEqual(['gave 5'])
  await reader.return(undefined)
  expect(done).toEqual(['gave 5', 'closed'])
})
