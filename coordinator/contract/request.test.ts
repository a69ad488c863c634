import { describe, expect, test } from 'vitest'
import { AttachRequest, EventsQuery, ListQuery, LogsQuery, Settings, SpawnRequest, StopRequest } from './request.ts'

const LEAST = { id: 'r1234567', project: '/home/me/proj' }

describe('a spawn request', () => {
  test('needs an id and a project, and has defaults for the rest', () => {
    expect(SpawnRequest.parse(LEAST)).toEqual({
      ...LEAST,
      settings: {},
      secrets: {},
      input: null,
      remove: true,
      replace: false,
      io: 'session',
      noWait: false,
      wait: 60_000,
      size: { columns: 80, rows: 24 },
      term: 'xterm-256color',
      clientEnv: {},
    })
  })

  test('carries every word of a command as it is', () => {
    const command = ['sh', '-c', 'echo "$1"; exit 3', '', '-', '\u001B[31m', 'ä\n;', 'x'.repeat(131_071)]
    expect(SpawnRequest.parse({ ...LEAST, command }).command).toEqual(command)
  })

  test.each([
    ['no word', []],
    ['a NUL byte', ['a\0b']],
    ['bytes that were not UTF-8', ['caf\uFFFD']],
    ['a word longer than Linux allows', ['x'.repeat(131_072)]],
    ['a word that is too long in bytes only', ['é'.repeat(65_536)]],
    ['more words than are passed', Array.from({ length: 20_001 }, () => 'x')],
    ['more bytes than are passed', Array.from({ length: 12 }, () => 'x'.repeat(131_000))],
  ])('with a command of %s is refused', (_what, command) => {
    expect(SpawnRequest.safeParse({ ...LEAST, command }).success).toBe(false)
  })

  test.each([
    ['an unknown field', { colour: 'red' }],
    ['an empty project', { project: '' }],
    ['a bad name', { name: '-x' }],
    ['a terminal without columns', { size: { columns: 0, rows: 24 } }],
    ['a TERM that is a path', { term: '../../etc/passwd' }],
    ['a secret named as a path', { secrets: { '../x': 'YQ==' } }],
    ['a secret that is not base64', { secrets: { x: 'a*' } }],
    ['a wait that is no duration', { wait: 'soon' }],
    ['an input that is too long', { input: 8 * 2 ** 20 + 1 }],
    ['an input of no length', { input: -1 }],
    ['a way to run that is not there', { run: 'background' }],
  ])('with %s is refused', (_what, fields) => {
    expect(SpawnRequest.safeParse({ ...LEAST, ...fields }).success).toBe(false)
  })
})

describe('settings', () => {
  test('are read with their units', () => {
    expect(Settings.parse({ memory: '512m', cpus: '0.5', pidsLimit: '64', timeout: '1h30m' })).toEqual({
      memory: 512 * 2 ** 20,
      cpus: 0.5,
      pidsLimit: 64,
      timeout: 5_400_000,
    })
  })

  test.each([
    [{ memory: '15m' }, 'must be 16m or more'],
    [{ memory: 'lots' }, '"lots" is not a size such as 512m or 4g'],
    [{ cpus: 'two' }, 'is not a number of cores such as 2 or 0.5'],
    [{ pidsLimit: 7 }, 'must be 8 or more: the worker itself needs some processes'],
    [{ pidsLimit: 8.5 }, 'is not a whole number'],
    [{ timeout: '1 hour' }, '"1 hour" is not a duration such as 90s, 10m or 2h'],
    [{ image: '--privileged' }, 'is not an image name such as hal9000/worker:0.1.0'],
    [{ env: { A: 'x\0' } }, 'must not contain a NUL byte'],
  ])('%j is refused: %s', (settings, message) => {
    expect(Settings.safeParse(settings).error?.issues[0]?.message).toBe(message)
  })

  test.each([
    { cpus: 0 },
    { cpus: -1 },
    { cpus: Infinity },
    { cpus: 'NaN' },
    { memory: -1 },
    { env: { 'A=B': 'x' } },
    { env: { '': 'x' } },
  ])('%j is refused', (settings) => {
    expect(Settings.safeParse(settings).success).toBe(false)
  })
})

test('queries are read from text, and refuse what is out of range', () => {
  expect(StopRequest.parse({})).toEqual({ grace: 10 })
  expect(StopRequest.safeParse({ grace: '3601' }).success).toBe(false)
  expect(ListQuery.parse({ all: '1' })).toEqual({ all: true })
  expect(ListQuery.safeParse({ all: 'yes' }).success).toBe(false)
  expect(LogsQuery.parse({ follow: '1', tail: '20', since: '5' })).toEqual({
    follow: true,
    tail: 20,
    since: 5,
    timestamps: false,
  })
  expect(LogsQuery.safeParse({ tail: '-1' }).success).toBe(false)
  expect(EventsQuery.parse({ after: '17-0' })).toEqual({ follow: false, after: '17-0', tail: 100 })
  expect(EventsQuery.safeParse({ after: '17' }).success).toBe(false)
})

test('an attach with a TERM that could be a path falls back to one that every image knows', () => {
  const parsed = (terminal: object) =>
    AttachRequest.parse({ enter: 'session', id: 'a1234567', terminal: { columns: '120', rows: '40', ...terminal } })
  const size = { columns: 120, rows: 40 }
  expect(parsed({ term: '../x' }).terminal).toEqual({ ...size, term: 'xterm-256color' })
  expect(parsed({ term: 'xterm-ghostty', colors: '24bit' }).terminal).toEqual({
    ...size,
    term: 'xterm-ghostty',
    colors: '24bit',
  })
  expect(parsed({ term: 'xterm', colors: '$(reboot)' }).terminal).toEqual({ ...size, term: 'xterm' })
})

test('only a command may come without a terminal, and it has words', () => {
  const id = 'a1234567'
  const accepted = (request: object): boolean => AttachRequest.safeParse({ id, ...request }).success
  expect(accepted({ enter: 'command', command: ['ls'], terminal: null })).toBe(true)
  expect(accepted({ enter: 'command', command: [], terminal: null })).toBe(false)
  expect(accepted({ enter: 'shell', terminal: null })).toBe(false)
  expect(accepted({ enter: 'session', terminal: null })).toBe(false)
  expect(accepted({ enter: 'command', command: ['ls'], terminal: null, id: '../a1234567' })).toBe(false)
})
