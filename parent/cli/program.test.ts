import { expect, test } from 'vitest'
import { run } from './program.ts'
import { testWorld } from './testing/test-world.ts'
import { coordinatorVerbs } from './verbs.ts'
import { spawn } from './verbs/spawn.ts'

/** Nothing listens there: what touches the coordinator fails. */
const NOWHERE = { HAL9000_SOCKET: '/tmp/hal9000-nowhere.sock' }

test.each([
  ['list --foo', "Unknown option '--foo'.", 'coordinator list --help'],
  ['stop', "Missing required argument 'name'.", 'coordinator stop --help'],
  ['ls w1', "Too many arguments for 'list'. Expected 0 arguments but got 1: w1.", 'coordinator list --help'],
  ['stpo w1', "Unknown command 'stpo' (Did you mean stop?)", 'coordinator --help'],
  ['', 'A verb is missing.', 'coordinator --help'],
  ['stop w1 --time ten', 'It must be a whole number from 0 to 3600.', 'coordinator stop --help'],
])('coordinator %s: usage, exit 2, one line and the next step', async (line, message, next) => {
  const world = testWorld(NOWHERE)
  expect(await run('coordinator', coordinatorVerbs, world, line.split(' ').filter(Boolean))).toBe(2)
  expect(world.out()).toBe('')
  expect(world.err()).toContain(message)
  expect(world.err().endsWith(`\nNext: ${next}\n`)).toBe(true)
  expect(world.err().trim().split('\n')).toHaveLength(2)
})

test.each([
  [['/proj', 'ls', '-la'], 'Unknown option \'-la\'. Options of the command go after "--".', 'spawn --help'],
  [['/proj', 'ls', 'a b'], 'The command goes after "--", and ls stands before it.', "spawn /proj -- ls 'a b'"],
  [['/proj', 'env', '--', 'ls'], 'The command goes after "--", and env stands before it.', 'spawn /proj -- env ls'],
  [['/proj', '--'], 'There is no command after "--".', 'spawn --help'],
  [['/proj', '-d', '--foreground'], '--detach and --foreground exclude each other.', 'spawn --help'],
  [['app'], 'PROJECT "app" is relative,', 'spawn --help'],
  [[], 'PROJECT is missing,', 'spawn --help'],
  [[''], 'PROJECT is empty.', 'spawn --help'],
])('spawn %j is refused', async (argv, message, next) => {
  const world = testWorld(NOWHERE)
  expect(await run('spawn', spawn, world, argv)).toBe(2)
  expect(world.err()).toContain(message)
  expect(world.err()).toContain(`\nNext: ${next}\n`)
})

test('with --json anywhere a failure is one object on stdout and nothing on stderr', async () => {
  const world = testWorld(NOWHERE)
  expect(await run('coordinator', coordinatorVerbs, world, ['list', '--json', '--foo'])).toBe(2)
  expect(JSON.parse(world.out())).toEqual({
    schemaVersion: 1,
    error: { code: 'usage', exitCode: 2, message: "Unknown option '--foo'.", hint: 'coordinator list --help' },
  })
  expect(world.err()).toBe('')
})

test('a --json of the command is none of ours', async () => {
  const world = testWorld(NOWHERE)
  expect(await run('spawn', spawn, world, ['--foo', '--', 'jq', '--json'])).toBe(2)
  expect(world.out()).toBe('')
})

test.each([
  ['spawn', spawn, ['--help'], 'Usage: spawn [options] [PROJECT] [-- COMMAND ARG...]'],
  ['coordinator', coordinatorVerbs, ['--help'], 'stop-all'],
  ['coordinator', coordinatorVerbs, ['logs', '--help'], 'coordinator logs w1 --follow'],
  ['coordinator', coordinatorVerbs, ['--version'], '1.2.3'],
] as const)('%s: help and version need nothing', async (name, register, argv, text) => {
  const world = testWorld(NOWHERE)
  expect(await run(name, register, world, argv)).toBe(0)
  expect(world.out()).toContain(text)
  expect(world.err()).toBe('')
})

test('help shows no word that is for the launcher alone', async () => {
  const world = testWorld(NOWHERE)
  await run('coordinator', coordinatorVerbs, world, ['--help'])
  await run('coordinator', coordinatorVerbs, world, ['attach', '--help'])
  expect(world.out()).not.toMatch(/\bresize\b|--relay|^ {2}ready/m)
})

test('an attachment without a terminal is refused before anything is asked', async () => {
  const world = testWorld(NOWHERE)
  expect(await run('coordinator', coordinatorVerbs, world, ['attach', 'w1'])).toBe(2)
  expect(world.err()).toContain('needs a terminal')
})

test('in relay mode every line goes back to the first column', async () => {
  const world = testWorld(NOWHERE)
  expect(await run('coordinator', coordinatorVerbs, world, ['attach', 'w1', '--relay', 'x', '--rows', '0'])).toBe(2)
  expect(world.err()).toMatch(/^[^\n]+\r\nNext: [^\n]+\r\n$/)
})
