import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, FrameDecoder } from './frames.ts'

const frames = fc.array(
  fc.record({
    output: fc.constantFrom('stdout' as const, 'stderr' as const),
    data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 12 },
)

function decode(chunks: readonly Buffer[]): { frames: Frame[]; incomplete: number } {
  const decoder = new FrameDecoder()
  const decoded = chunks.flatMap((chunk) => [...decoder.push(chunk)])
  return { frames: decoded, incomplete: decoder.incomplete }
}

/** The bytes in pieces, cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const points = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point))
}

test('frames decode the same wherever the stream is cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(2000), { maxLength: 30 }), (sent, places) => {
      const bytes = Buffer.concat(sent.map(encodeFrame))
      expect(decode(cut(bytes, places))).toEqual({ frames: sent, incomplete: 0 })
    }),
  )
})

test('frames decode byte by byte', () => {
  const sent: Frame[] = [
    { output: 'stdout', data: Buffer.from('one\n') },
    { output: 'stderr', data: Buffer.alloc(0) },
    { output: 'stderr', data: Buffer.from([0, 1, 2, 255]) },
  ]
  const bytes = Buffer.concat(sent.map(encodeFrame))
  expect(decode([...bytes].map((byte) => Buffer.of(byte)))).toEqual({ frames: sent, incomplete: 0 })
})

test('tens of thousands of tiny frames fit in one chunk', () => {
  const one = encodeFrame({ output: 'stdout', data: Buffer.from('x') })
  const decoder = new FrameDecoder()
  let count = 0
  for (const { data } of decoder.push(Buffer.concat(Array.from({ length: 50_000 }, () => one)))) count += data.length
  expect(count).toBe(50_000)
  expect(decoder.incomplete).toBe(0)
})

test('bytes of a frame that is not complete are counted', () => {
  const bytes = encodeFrame({ output: 'stdout', data: Buffer.from('12345') })
  expect(decode([bytes.subarray(0, 3)]).incomplete).toBe(3)
  expect(decode([bytes, bytes.subarray(0, 10)])).toMatchObject({ incomplete: 10, frames: [{ output: 'stdout' }] })
})

test('output 0, which the engine sends for stdin, counts as stdout', () => {
  expect(decode([Buffer.of(0, 0, 0, 0, 0, 0, 0, 1, 65)]).frames).toEqual([{ output: 'stdout', data: Buffer.from('A') }])
})

test.each([
  ['text', Buffer.from('HTTP/1.1 500 Internal Server Error')],
  ['an unknown output', Buffer.of(3, 0, 0, 0, 0, 0, 0, 1, 65)],
  ['a length beyond any frame', Buffer.of(1, 0, 0, 0, 255, 255, 255, 255)],
])('%s is not taken for a frame', (_what, bytes) => {
  expect(() => decode([bytes])).toThrow(RangeError)
  expect(() => decode([...bytes].map((byte) => Buffer.of(byte)))).toThrow(RangeError)
})

test('a bad header after good frames gives the good frames first', () => {
  const decoder = new FrameDecoder()
  const decoded = decoder.push(
    Buffer.concat([encodeFrame({ output: 'stdout', data: Buffer.from('ok') }), Buffer.alloc(8, 9)]),
  )
  expect(decoded.next().value).toEqual({ output: 'stdout', data: Buffer.from('ok') })
  expect(() => decoded.next()).toThrow(RangeError)
})
