import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LAUNCHER } from '../support/instance.ts'
import { type Output, run } from '../support/run.ts'

let directory: string
let silent: Server

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hal9000-test-'))
  silent = createServer(() => {}).listen(join(directory, 'silent.sock'))
  // What the launcher needs of a system, and no docker.
  await mkdir(join(directory, 'bin'))
  const tools = ['cat', 'dirname', 'env', 'git', 'grep', 'id', 'readlink', 'sed', 'sh', 'timeout']
  for (const tool of tools) await symlink(`/usr/bin/${tool}`, join(directory, 'bin', tool))
})
afterAll(async () => {
  silent.close()
  await rm(directory, { recursive: true })
})

/** The launcher where nothing may be installed or started. */
const hal = (words: readonly string[], env: Record<string, string>): Promise<Output> =>
  run(LAUNCHER, words, { env: { HAL9000_NAME: 'hal9000-test-nowhere', CI: '', ...env }, cwd: directory })

const WORDS = [['up'], ['down'], ['status'], ['images'], ['list'], ['logs'], ['spawn', '-d', '.'], ['build']]

test.each(WORDS)('where the socket is missing, %s ends with 3 and says what to do', async (...words) => {
  for (const [variable, scheme] of [
    ['DOCKER_HOST', 'unix://'],
    ['HAL9000_DOCKER_SOCKET', ''],
  ] as const) {
    const refused = await hal(words, { [variable]: `${scheme}${directory}/missing.sock` })
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(refused.stderr).toContain(`${directory}/missing.sock`)
    expect(refused.stderr).toMatch(/^Next: .*start/m)
  }
})

test('where the socket accepts and says nothing, every word ends with 3 within a bound', async () => {
  const env = { HAL9000_DOCKER_SOCKET: `${directory}/silent.sock` }
  const refused = await Promise.all(WORDS.map(async (words) => ({ words, ...(await hal(words, env)) })))
  const stderr = expect.stringMatching(/has not answered.*\nNext: .*restart/) as string
  expect(refused).toMatchObject(WORDS.map((words) => ({ words, code: 3, stdout: '', stderr })))
  expect(Math.max(...refused.map(({ ms }) => ms))).toBeLessThan(25_000)
})

test.each([['up'], ['list'], ['status']])(
  'without a docker command, %s ends with 3 and how to get one',
  async (word) => {
    const refused = await hal([word], { PATH: join(directory, 'bin') })
    expect(refused).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/not installed.*\nNext: .*install/),
    })
  },
)

test.each([['--help'], ['up', '--help'], ['spawn', '--help'], ['list', '--help'], ['coordinator'], ['--version']])(
  'help needs no engine: %s %s',
  async (...words) => {
    const missing = { DOCKER_HOST: `unix://${directory}/missing.sock` }
    for (const env of [missing, { PATH: join(directory, 'bin') }]) {
      const helped = await hal(words, env)
      expect(helped.code).toBe(0)
      expect(helped.stdout).toMatch(/Usage: |^\d+\.\d+\.\d+\n$/)
    }
  },
)
