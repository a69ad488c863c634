import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeInput } from '../contract/frames.ts'
import type { AttachRequest } from '../contract/request.ts'
import type { Worker, WorkerState } from '../contract/worker.ts'
import { fromOrder } from '../domain/worker-view.ts'
import { anOrder } from '../domain/testing.ts'
import { checkEntrance, entranceOf, inputOf } from './entrance.ts'

const terminal = { columns: 80, rows: 24, term: 'xterm', colors: 'truecolor' } as const
const id = 'a1234567'

describe('what is run in the worker', () => {
  test.each([
    [{ enter: 'session', id, terminal }, ['attach', id, 'xterm', 'truecolor'], 'detach'],
    [{ enter: 'shell', id, terminal: { ...terminal, colors: undefined } }, ['exec', id, 'xterm', ''], 'hangup'],
    [{ enter: 'command', id, terminal: null, command: ['ls', '-l'] }, ['exec', id, '', '', 'ls', '-l'], 'hangup'],
  ] satisfies [AttachRequest, string[], string][])('%o', (request, [script = '', ...words], leave) => {
    expect(entranceOf(request)).toEqual({
      enter: [`/usr/lib/hal9000/${script}`, ...words],
      leave: [`/usr/lib/hal9000/${leave}`, id],
    })
  })
})

describe('who may come in', () => {
  const ways = ['session', 'shell', 'command'] as const
  const worker = (change: Partial<Worker>): Worker => ({ ...fromOrder(anOrder(), 'running'), ...change })
  const refusal = (change: Partial<Worker>, enter: (typeof ways)[number]): string | undefined => {
    try {
      checkEntrance(worker(change), enter)
      return undefined
    } catch (error) {
      return String(error)
    }
  }

  test.each(['running', 'stopping'] as const)('all, while it is %s', (state) => {
    for (const enter of ways) expect([enter, refusal({ state }, enter)]).toEqual([enter, undefined])
  })

  test('to a worker without a terminal all but who would attach', () => {
    expect(refusal({ io: 'pipes' }, 'session')).toContain('--no-tty')
    expect(refusal({ io: 'pipes' }, 'shell')).toBeUndefined()
    expect(refusal({ io: 'pipes' }, 'command')).toBeUndefined()
  })

  const closed: WorkerState[] = ['queued', 'creating', 'starting', 'paused', 'lost', 'ended']
  test.each(closed)('nobody, while it is %s', (state) => {
    for (const enter of ways)
      expect([enter, refusal({ state }, enter)]).toEqual([enter, expect.stringContaining(state)])
  })
})

describe('input', () => {
  const through = async (chunks: readonly Buffer[]): Promise<Buffer> => {
    const input = inputOf()
    for (const chunk of chunks) input.write(chunk)
    const read: Buffer[] = []
    for await (const chunk of input) read.push(chunk as Buffer)
    return Buffer.concat(read)
  }
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 })

  test('is the same bytes however it is framed and cut, and ends with the empty frame', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 40 }), async (parts, size) => {
        const sent = Buffer.concat([
          ...parts.map((part) => encodeInput(Buffer.from(part))),
          encodeInput(Buffer.alloc(0)),
        ])
        const chunks = Array.from({ length: Math.ceil(sent.length / size) }, (_, turn) =>
          sent.subarray(turn * size, (turn + 1) * size),
        )
        expect(await through(chunks)).toEqual(Buffer.concat(parts))
      }),
    )
  })

  test('that is no frames is an error, not input', async () => {
    await expect(through([Buffer.from('GET / HTTP/1.1\r\n\r\n')])).rejects.toThrow('bad frame header')
  })

  test('after its end is nothing', async () => {
    expect(await through([encodeInput(Buffer.alloc(0)), encodeInput(Buffer.from('late'))])).toEqual(Buffer.alloc(0))
  })
})
