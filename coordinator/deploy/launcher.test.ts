import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

/**
 * ./hal9000 with a docker command that writes down how it was called. Answers come from the variables STATE (what
 * inspect says of the parent; empty: there is none), CODE (what exec exits with) and PRINTS (what it prints).
 */
const DOCKER = `#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
case "$1 $2" in
  "container inspect") [ -n "$STATE" ] || { echo "Error: No such container: x" >&2; exit 1; }; echo "$STATE"; exit ;;
  "version --format") exit "\${ENGINE:-0}" ;;
esac
case $1 in exec) printf '%b' "$PRINTS"; cat >"$CALLS.stdin" & sleep 0.05; kill $! 2>/dev/null; exit "\${CODE:-0}" ;; esac
`
const LAUNCHER = resolve('hal9000')
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hal9000-launcher-'))
  mkdirSync(join(directory, 'bin'))
  writeFileSync(join(directory, 'bin/docker'), DOCKER)
  chmodSync(join(directory, 'bin/docker'), 0o755)
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

type Result = { code: number; stdout: string; stderr: string; calls: string[] }

function run(words: string[], env: Record<string, string> = {}, launcher = LAUNCHER): Promise<Result> {
  const calls = join(directory, 'calls')
  writeFileSync(calls, '')
  const environment = {
    PATH: `${join(directory, 'bin')}:/usr/bin:/bin`,
    HOME: directory,
    CALLS: calls,
    STATE: 'running 2026-01-01T00:00:00Z',
    HAL9000_NAME: 'trial',
    HAL9000_PARENT_IMAGE: 'trial/parent:1',
    ...env,
  }
  return new Promise((done) => {
    const child = execFile(
      launcher,
      words,
      { cwd: directory, env: environment, timeout: 20_000 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : 0
        done({ code, stdout, stderr, calls: readFileSync(calls, 'utf8').replace(/\n$/, '').split('\n') })
      },
    )
    child.stdin?.end()
  })
}

test.for([['--help'], ['-h'], ['help'], [], ['up', '--help'], ['down', '-h'], ['--version']])(
  '%s needs no engine',
  async (words) => {
    const { code, stdout, calls } = await run(words)
    expect({ code, calls }).toEqual({ code: 0, calls: [''] })
    expect(stdout).not.toBe('')
  },
)

test.for([
  ['list', '-a', 'coordinator list -a'],
  ['coordinator', 'list', 'coordinator list'],
  ['spawn', '.', 'spawn .'],
  ['logs', 'w1', 'coordinator logs w1'],
  ['attach', 'w1', 'coordinator attach w1'],
] as const)('%s %s runs "%s" in the parent', async ([first, second, inside]) => {
  const { calls } = await run([first, second])
  expect(calls.at(-1)).toMatch(new RegExp(`^exec .* trial-parent ${inside}$`))
})

test('arguments arrive as they are, a word that looks like help behind "--" too', async () => {
  const { calls } = await run(['spawn', '.', '--', 'sh', '-c', 'echo  "$HOME" *; x', '--help'])
  expect(calls.at(-1)).toMatch(/HAL9000_CWD=.* trial-parent spawn \. -- sh -c echo {2}"\$HOME" \*; x --help$/)
})

test("the command's exit code is the launcher's, and its output is on stdout", async () => {
  expect(await run(['wait', 'w1'], { CODE: '42', PRINTS: 'a\\nb' })).toMatchObject({ code: 42, stdout: 'a\nb' })
})

test('it works through links and from another directory', async () => {
  symlinkSync(LAUNCHER, join(directory, 'one'))
  symlinkSync('one', join(directory, 'two'))
  const { code, calls } = await run(['list'], {}, join(directory, 'two'))
  expect(code).toBe(0)
  expect(calls.at(-1)).toContain(`-e HAL9000_CWD=${directory} `)
})

test("the user's settings are passed by name, so that no value is on a command line; the parent's own are not", async () => {
  const { calls } = await run(['list'], {
    HAL9000_MAX_WORKERS: 'secret',
    WORKER_X: '1',
    NO_COLOR: '1',
    HAL9000_HOME: '/mine',
    OTHER: '1',
  })
  expect(calls.at(-1)).toContain(' -e HAL9000_MAX_WORKERS ')
  expect(calls.at(-1)).toContain(' -e WORKER_X ')
  expect(calls.at(-1)).toContain(' -e NO_COLOR ')
  expect(calls.at(-1)).not.toMatch(/secret|HAL9000_HOME|OTHER/)
})

test('bare logs are the parent’s, with values of options told apart from a name', async () => {
  expect((await run(['logs', '--tail', '5', '-f'])).calls.at(-1)).toBe('logs --tail 5 -f trial-parent')
  expect((await run(['logs', '-n', '5', 'w1'])).calls.at(-1)).toContain('coordinator logs -n 5 w1')
})

test('status of a parent that is not running says so and starts nothing', async () => {
  const { code, stderr, calls } = await run(['status'], { STATE: '' })
  expect(code).toBe(4)
  expect(stderr).toContain('Next: ./hal9000 up')
  expect(calls).toHaveLength(1)
})

test('a verb on a parent that is down brings it up first', async () => {
  const { calls } = await run(['list'], { STATE: 'exited 2026-01-01T00:00:00Z' })
  const deploy = calls.findIndex((call) => /^exec .*deploy\.cjs/.test(call) || call.startsWith('run '))
  expect(deploy).toBeGreaterThan(-1)
  expect(calls.findIndex((call) => call.endsWith('coordinator list'))).toBeGreaterThan(deploy)
})

test('an up that finds nothing to do starts no container', async () => {
  const { code, stderr, calls } = await run(['up'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(calls.filter((call) => call.startsWith('run '))).toEqual([])
})

test('up gives what it was told to the program that decides', async () => {
  mkdirSync(join(directory, 'real'))
  symlinkSync('real', join(directory, 'link'))
  const { calls } = await run(['up', '--projects', 'link', '--cut-workers'], { CODE: '1', HAL9000_PUBLISH: '' })
  const call = calls.at(-1) ?? ''
  expect(call).toMatch(/^run --rm .*--network none .*--entrypoint \/usr\/lib\/hal9000\/deploy\.cjs trial\/parent:1 up /)
  expect(call).toContain(`--projects ${join(directory, 'real')} --cut-workers --name trial `)
  expect(call).toMatch(/--publish $/)
})

test.for([
  [['up', '--bad'], 2],
  [['up', '--projects'], 2],
  [['up', '--projects', '/does/not/exist'], 5],
  [['--bad'], 2],
] as const)('%s is refused with %i before anything is done', async ([words, expected]) => {
  const { code, stderr, calls } = await run([...words])
  expect({ code, calls }).toEqual({ code: expected, calls: [''] })
  expect(stderr).toContain('Next: ')
})

test('a name that is none, and an engine on another host, are refused', async () => {
  expect((await run(['list'], { HAL9000_NAME: 'a b' })).code).toBe(2)
  expect(await run(['up'], { DOCKER_HOST: 'tcp://elsewhere:2375' })).toMatchObject({ code: 3, calls: [''] })
})

test('without an engine every verb ends with 3 and the next step', async () => {
  writeFileSync(join(directory, 'bin/docker'), '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2; exit 1\n')
  for (const words of [['list'], ['status'], ['up'], ['down'], ['images']]) {
    const { code, stderr } = await run(words, { DOCKER_HOST: 'unix:///nowhere.sock' })
    expect({ words, code }).toEqual({ words, code: 3 })
    expect(stderr).toContain('Next: ')
  }
})
