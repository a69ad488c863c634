import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSaid, refusalFailure, type Said, separate } from './worker-says.ts'

const MARK = '\u001Ehal9000 '

describe('what a worker says', () => {
  test.each<[string, Said]>([
    ['ready', { said: 'ready' }],
    ['refused never-assigned', { said: 'refused', word: 'never-assigned', message: '' }],
    [
      'refused command-not-found Command not found:  x',
      { said: 'refused', word: 'command-not-found', message: 'Command not found:  x' },
    ],
    [
      'ended exit=0 signal=- oom=0 pids=0 by=-',
      { said: 'ended', exitCode: 0, signal: null, oomKills: 0, pidsLimitHits: 0, stoppedBy: null },
    ],
    [
      'ended exit=137 signal=KILL oom=3 pids=- by=TERM',
      { said: 'ended', exitCode: 137, signal: 'KILL', oomKills: 3, pidsLimitHits: null, stoppedBy: 'TERM' },
    ],
    [
      'ended exit=1 signal=- oom=- pids=12',
      { said: 'ended', exitCode: 1, signal: null, oomKills: null, pidsLimitHits: 12, stoppedBy: null },
    ],
  ])('%s', (line, said) => {
    expect(parseSaid(line)).toEqual(said)
  })

  test.each([
    '',
    'Ready',
    'ready now',
    'refused',
    'ended',
    'ended exit=x signal=- oom=0 pids=0',
    'ended exit=1 signal=- oom=0',
    'stopped',
  ])('is not %j', (line) => {
    expect(parseSaid(line)).toBeUndefined()
  })
})

const spoken: [string, Said][] = [
  ['ready', { said: 'ready' }],
  ['refused session no reason', { said: 'refused', word: 'session', message: 'no reason' }],
  [
    'ended exit=3 signal=- oom=1 pids=-',
    { said: 'ended', exitCode: 3, signal: null, oomKills: 1, pidsLimitHits: null, stoppedBy: null },
  ],
]

/** The command's own output: any bytes, often nearly a mark. */
const own = fc
  .array(
    fc.oneof(
      fc.constantFrom('\u001E', MARK, '\u001Ehal', '9000 ', 'ready', '\n', 'ä', '\r', '\0', `${MARK}what\n`),
      fc.string({ maxLength: 5 }),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => Buffer.from(parts.join('')))
  // What is word for word what a worker says cannot be told from it.
  .filter((bytes) => separate(bytes).said.length === 0)
  .filter((bytes) => !bytes.toString().includes(MARK) || bytes.at(-1) === 10)

test('what a worker says is taken out wherever it stands, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(own, fc.constantFrom(...spoken)), { maxLength: 5 }), own, (pieces, last) => {
      const data = Buffer.concat([
        ...pieces.flatMap(([bytes, [line]]) => [bytes, Buffer.from(`${MARK}${line}\n`)]),
        last,
      ])
      const { rest, said } = separate(data)
      expect(said).toEqual(pieces.map(([, [, meaning]]) => meaning))
      expect(rest).toEqual(Buffer.concat([...pieces.map(([bytes]) => bytes), last]))
    }),
  )
})

test('output that only becomes a mark when a word is taken out of it stays', () => {
  const { rest, said } = separate(Buffer.from(`\u001Ehal${MARK}ready\n9000 ready\n`))
  expect(said).toEqual([{ said: 'ready' }])
  expect(rest.toString()).toBe('\u001Ehal9000 ready\n')
})

test.each([`${MARK}what is this\n`, `${MARK}\n`, `${MARK}ready`, `${MARK}ready!`, MARK, '\u001E\n', 'ready\n'])(
  '%j is the command’s own',
  (text) => {
    expect(separate(Buffer.from(text))).toEqual({ rest: Buffer.from(text), said: [] })
  },
)

test('bytes that are not UTF-8 pass unchanged beside a word', () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x80, 0x0d])
  expect(separate(Buffer.concat([bytes, Buffer.from(`${MARK}ready\n`), bytes])).rest).toEqual(
    Buffer.concat([bytes, bytes]),
  )
})

test.each([
  ['command-not-found', 'command-not-found', 127],
  ['command-not-executable', 'command-not-executable', 126],
  ['project-changed', 'refused-by-policy', 7],
  ['session', 'worker-failed', 125],
  ['toString', 'worker-failed', 125],
])('a refusal with the word %s is the failure %s', (word, code, exitCode) => {
  expect(refusalFailure('w1', { word, message: 'It is so.' }).toShape()).toEqual({
    code,
    exitCode,
    message: 'Worker "w1" could not start its command: It is so.',
  })
})

test('a refusal without a message is told by its word', () => {
  expect(refusalFailure('w1', { word: 'session', message: '' }).message).toBe(
    'Worker "w1" could not start its command: session',
  )
})
