import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FailureShape } from '../../coordinator/contract/failure.ts'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

let instance: Instance

beforeAll(async () => {
  instance = await Instance.up()
  const project = await instance.project('work')
  await instance.spawn(['-n', 'piped', '--no-tty', project, '--', 'sleep', '600'])
  await instance.exec(['spawn', '-n', 'over', project, '--', 'true'])
})
afterAll(() => instance.down())

const RELAY = ['--relay', 'a-relay-of-a-test', '--columns', '80', '--rows', '24']

test.each([
  ...['attach', 'logs', 'wait', 'inspect', 'stop'].map(
    (verb) =>
      [`${verb} nobody`, [verb, 'nobody', ...(verb === 'attach' ? RELAY : [])], 'not-found', 5, '"nobody"'] as const,
  ),
  ['attach without a terminal', ['attach', 'piped'], 'no-terminal', 2, 'attach needs a terminal'],
  ['attach to pipes', ['attach', 'piped', ...RELAY], 'wrong-state', 9, 'logs -f piped'],
  ['attach to what has ended', ['attach', 'over', ...RELAY], 'wrong-state', 9, 'ended'],
  ['an unknown verb', ['frobnicate'], 'usage', 2, "Unknown command 'frobnicate'"],
  ['stop without a name', ['stop'], 'usage', 2, 'Missing required argument'],
  ['a negative grace', ['stop', '--time=-1', 'piped'], 'usage', 2, 'whole number'],
  ['a tail that is none', ['logs', '-n', 'x', 'piped'], 'usage', 2, 'whole number'],
  ['a time that is none', ['logs', '--since', 'later', 'piped'], 'invalid-value', 2, 'neither a duration'],
  ['a filter that is none', ['list', '--filter', 'colour=red'], 'invalid-value', 2, 'colour'],
] as readonly (readonly [string, readonly string[], FailureShape['code'], number, string])[])(
  '%s',
  async (_what, args, code, exitCode, says) => {
    const refused = await instance.exec(['coordinator', ...args, '--json'])
    expect((await instance.list()).map(({ name, state }) => `${name} ${state}`)).toEqual(['piped running'])
    expect(JSON.parse(refused.stdout)).toMatchObject({ schemaVersion: 1, error: { code, exitCode } })
    expect(refused.stdout).toContain(JSON.stringify(says).slice(1, -1))
    expect(refused.code).toBe(exitCode)
  },
)

test('a verb that is missing is said to be', async () => {
  const refused = await instance.exec(['coordinator'])
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: 'A verb is missing.\nNext: coordinator --help\n' })
})

test('to stop what has ended is success, with a notice', async () => {
  const stopped = await instance.exec(['coordinator', 'stop', 'over'])
  expect(stopped).toMatchObject({ code: 0, stdout: 'over\n', stderr: 'Worker "over" has ended already.\n' })
})

test('of several names those that can be stopped are, and the exit code tells of the other', async () => {
  const stopped = await instance.exec(['coordinator', 'stop', 'nobody', 'over'])
  expect(stopped).toMatchObject({ code: 5, stdout: 'over\n', stderr: expect.stringContaining('"nobody"') })
})

test('without a coordinator every verb says so: exit 4', async () => {
  const service = '/run/hal9000/service/coordinator'
  expect(await instance.exec(['s6-svc', '-wD', '-d', service])).toMatchObject({ code: 0 })
  const [listed, spawned, ready] = await Promise.all([
    instance.exec(['coordinator', 'list', '--json']),
    instance.exec(['spawn', '-d', '--json', '/anywhere', '--', 'true']),
    instance.exec(['coordinator', 'ready']),
  ])
  expect(await instance.exec(['s6-svc', '-u', service])).toMatchObject({ code: 0 })
  for (const output of [listed, spawned]) {
    expect(output.code).toBe(4)
    expect(JSON.parse(output.stdout)).toMatchObject({
      error: { code: 'not-ready', message: expect.stringContaining('nothing listens'), hint: './hal9000 status' },
    })
  }
  expect(ready).toMatchObject({ code: 4, stdout: '' })
  await until('it is ready again', async () => (await instance.exec(['coordinator', 'ready'])).code === 0)
  expect(await instance.list()).toMatchObject([{ name: 'piped', state: 'running' }])
})
