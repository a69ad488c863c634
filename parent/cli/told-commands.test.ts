import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { hintedOptions, toldCommands } from '../../test/support/told-commands.ts'
import { run } from './program.ts'
import { refuse, testCoordinator } from './testing/test-coordinator.ts'
import { testWorld } from './testing/test-world.ts'
import { coordinatorVerbs } from './verbs.ts'
import { spawn } from './verbs/spawn.ts'

const LAUNCHER = execFileSync(resolve('hal9000'), ['--help'], { encoding: 'utf8' })
const LAUNCHERS_WORDS = new Set([...LAUNCHER.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, word]) => word))

const told = toldCommands({ worker: 'w1', project: '/proj', hash: '0a1b2c3d' }).map(
  ({ words, where }) => [words.join(' '), words, where] as const,
)

test('texts that tell commands are found', () => {
  const some = ['coordinator list -a', 'coordinator attach w1', 'spawn /proj -- true', './hal9000 up --yes']
  expect(told.map(([line]) => line)).toEqual(expect.arrayContaining(some))
})

test.each(told)('"%s" is a command', async (_line, words, where) => {
  expect([where, await isCommand(words)]).toEqual([where, true])
})

function isCommand([program = '', word = '', ...rest]: readonly string[]): Promise<boolean> | boolean {
  if (program !== './hal9000') return isUnderstood(program, [word, ...rest])
  if (word === 'spawn' || word === 'coordinator') return isUnderstood(word, rest)
  if (!LAUNCHERS_WORDS.has(word) && !word.startsWith('--')) return isUnderstood('coordinator', [word, ...rest])
  return [word, ...rest].filter((one) => one.startsWith('--')).every((option) => LAUNCHER.includes(option))
}

/** Whether the program understands it: help is shown, or the coordinator asked. */
async function isUnderstood(program: string, argv: string[]): Promise<boolean> {
  if (argv[0] === 'daemon') return isInHelp(argv)
  const error = { code: 'refused-by-policy', exitCode: 7, message: 'Not today.' } as const
  const body = JSON.stringify({ error })
  await using coordinator = await testCoordinator(
    (_, response) => refuse(response, 403, error),
    (_, socket) =>
      socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
  )
  const world = testWorld({ HAL9000_SOCKET: coordinator.socketPath, HAL9000_CWD: '/proj' }, true)
  world.stdin.end()
  const code = await run(program, program === 'spawn' ? spawn : coordinatorVerbs, world, argv)
  return argv.includes('--help') ? code === 0 : code === error.exitCode && coordinator.seen.length > 0
}

/** What acts on the daemon itself asks nobody: its help must know the options. */
async function isInHelp(argv: readonly string[]): Promise<boolean> {
  const [words, options] = [argv.filter((one) => /^[a-z]/.test(one)), argv.filter((one) => one.startsWith('--'))]
  const world = testWorld()
  const code = await run('coordinator', coordinatorVerbs, world, [...words, '--help'])
  return code === 0 && options.every((option) => world.out().includes(option))
}

test('every option that a hint names exists', async () => {
  const helps = await Promise.all(
    [
      ['spawn'],
      ['coordinator', 'daemon', 'restart'],
      ...['attach', 'exec', 'list', 'logs', 'rm', 'stop', 'stop-all'].map((verb) => ['coordinator', verb]),
    ].map(async ([program = '', ...verb]) => {
      const world = testWorld()
      await run(program, program === 'spawn' ? spawn : coordinatorVerbs, world, [...verb, '--help'])
      return world.out()
    }),
  )
  const known = new Set([LAUNCHER, ...helps].flatMap((text) => text.match(/--[a-z-]+/g) ?? []))
  expect(hintedOptions().filter(({ option }) => !known.has(option))).toEqual([])
  expect(hintedOptions().length).toBeGreaterThan(5)
})
