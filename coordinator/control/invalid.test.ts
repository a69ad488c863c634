import { expect, test } from 'vitest'
import { LogsQuery, SpawnRequest, StopRequest } from '../contract/request.ts'
import { parseInput } from './invalid.ts'

const LEAST = { id: 'r1234567', project: '/p' }

test('input that is right passes, parsed', () => {
  expect(parseInput(StopRequest, { grace: '5' })).toEqual({ grace: 5 })
})

test.each([
  [{ project: '' }, 'PROJECT: is missing.'],
  [{ name: '-x' }, '--name: a name is 1 to 40 of the characters a-z A-Z 0-9 _ . - and the first a letter or digit.'],
  [{ command: ['ok', 'a\0'] }, 'the command: must not contain a NUL byte.'],
  [{ settings: { image: '-v' } }, '--image: is not an image name such as hal9000/worker:0.1.0.'],
  [{ settings: { memory: '5x' } }, '--memory: "5x" is not a size such as 512m or 4g.'],
  [{ settings: { cpus: 'two' } }, '--cpus: is not a number of cores such as 2 or 0.5.'],
  [{ settings: { pidsLimit: '3' } }, '--pids-limit: must be 8 or more: the worker itself needs some processes.'],
  [{ settings: { timeout: 'x' } }, '--timeout: "x" is not a duration such as 90s, 10m or 2h.'],
  [{ settings: { env: { TOKEN: 'hunter2\0' } } }, '--env "TOKEN": must not contain a NUL byte.'],
  [{ settings: { env: { '1 X': 'x' } } }, '--env "1 X": an environment name is letters, digits and _.'],
  [
    { settings: { env: { '\u001B[31m': 'x' } } },
    String.raw`--env "\u001b[31m": an environment name is letters, digits and _.`,
  ],
  [{ secrets: { '../x': 'YQ==' } }, '--secret "../x": a secret name is letters, digits, _ . -.'],
  [{ wait: 'soon' }, '--wait: "soon" is not a duration such as 90s, 10m or 2h.'],
  [{ input: 8_388_609 }, '--stdin: is more than 8 MiB.'],
  [{ colour: 'red' }, 'the request: Unrecognized key: "colour".'],
])('%j: %s', (fields, message) => {
  expect(() => parseInput(SpawnRequest, { ...LEAST, ...fields })).toThrow(
    expect.objectContaining({ code: 'invalid-value', message }),
  )
})

test('options of other commands are named as the person knows them', () => {
  expect(() => parseInput(StopRequest, { grace: -1 })).toThrow(/^--time: /)
  expect(() => parseInput(LogsQuery, { tail: 'x' })).toThrow(/^--tail: /)
  expect(() => parseInput(LogsQuery, 7)).toThrow(/^the request: /)
})

test('a very long name is cut in the message', () => {
  const name = 'é'.repeat(1000)
  expect(() => parseInput(SpawnRequest, { ...LEAST, settings: { env: { [name]: 'x' } } })).toThrow(
    `--env "${'é'.repeat(60)}…": `,
  )
})

test('a value is never repeated where it may be a secret', () => {
  expect(() => parseInput(SpawnRequest, { ...LEAST, secrets: { key: 'hunter2*' } })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  )
})
