import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SpawnRequest } from '../../../coordinator/contract/request.ts'
import { run } from '../program.ts'
import { refuse, testCoordinator } from '../testing/test-coordinator.ts'
import { testWorld, type TestWorld } from '../testing/test-world.ts'
import { spawn } from '../verbs/spawn.ts'

const REFUSAL = { code: 'refused-by-policy', exitCode: 7, message: 'Not today.' } as const
const CWD = { HAL9000_CWD: '/host/cwd' }
const ID = 'r000000000000000000000001'
const PLAIN = {
  id: ID,
  project: '/host/cwd',
  settings: {},
  secrets: {},
  remove: true,
  replace: false,
  io: 'session',
  noWait: false,
  clientEnv: {},
}

/** What the coordinator got, which its own schema must take. */
async function sent(world: TestWorld, argv: string[]): Promise<unknown> {
  await using coordinator = await testCoordinator((_, response) => refuse(response, 403, REFUSAL))
  Object.assign(world.env, { HAL9000_SOCKET: coordinator.socketPath })
  expect([await run('spawn', spawn, world, argv), world.err()]).toEqual([7, 'Not today.\n'])
  expect(coordinator.seen).toHaveLength(1)
  expect(coordinator.seen[0]).toMatchObject({ method: 'POST', path: '/v1/workers' })
  SpawnRequest.parse(coordinator.seen[0]?.body)
  return coordinator.seen[0]?.body
}

describe('a command line becomes a request', () => {
  test.each([
    [[], {}],
    [['/abs/../proj'], { project: '/abs/../proj' }],
    [['../app/'], { project: '/host/app' }],
    [['.'], { project: '/host/cwd' }],
    [['--', 'ls', '-la', '--', ''], { command: ['ls', '-la', '--', ''] }],
    [['/p', '-n', 'w1', '-d'], { project: '/p', name: 'w1', run: 'detached' }],
    [['--foreground'], { run: 'foreground' }],
    [['-i', 'img:1'], { settings: { image: 'img:1' } }],
    [
      ['--memory', '1g', '--cpus', '0.5', '--pids-limit', '64'],
      { settings: { memory: '1g', cpus: '0.5', pidsLimit: '64' } },
    ],
    [['--no-limits', '--timeout', '10m'], { settings: { noLimits: true, timeout: '10m' } }],
    [['--rm'], { remove: true }],
    [['--no-rm', '--replace'], { remove: false, replace: true }],
    [['--no-tty', '--wait', '5s'], { io: 'pipes', wait: '5s' }],
    [['--no-wait'], { noWait: true }],
    [['--no-wait', '--wait', '2h'], { noWait: true, wait: '2h' }],
    [['--wait', '2h', '--no-wait'], { noWait: true, wait: '2h' }],
    [
      ['-e', 'A=1', '--env', 'B=x=y', '-e', 'EMPTY=', '-e', 'HOME'],
      { settings: { env: { A: '1', B: 'x=y', EMPTY: '', HOME: '/root' } } },
    ],
  ])('%j', async (argv, change) => {
    expect(await sent(testWorld({ ...CWD, HOME: '/root' }), argv)).toEqual({ ...PLAIN, ...change })
  })

  test('of our environment only the settings and the marker travel', async () => {
    const world = testWorld({
      ...CWD,
      WORKER_MEMORY: '1g',
      HAL9000_MAX_WORKERS: '3',
      AGENTIC_IN_CONTAINER: '1',
      HAL9000_COLUMNS: '90',
      SECRET_TOKEN: 'x',
      PATH: '/bin',
    })
    expect(await sent(world, [])).toEqual({
      ...PLAIN,
      clientEnv: { WORKER_MEMORY: '1g', HAL9000_MAX_WORKERS: '3', AGENTIC_IN_CONTAINER: '1' },
    })
  })

  test('a terminal tells its size and kind', async () => {
    expect(await sent(testWorld(CWD, true), [])).toEqual({
      ...PLAIN,
      size: { columns: 100, rows: 30 },
      term: 'xterm-256color',
    })
  })

  test('the launcher tells those of the terminal it holds; a wrong size is left out', async () => {
    const held = { ...CWD, HAL9000_HANDOFF: '1', TERM: 'screen', HAL9000_COLUMNS: '90', HAL9000_ROWS: '20' }
    expect(await sent(testWorld(held), [])).toEqual({ ...PLAIN, size: { columns: 90, rows: 20 }, term: 'screen' })
    expect(await sent(testWorld({ ...held, HAL9000_ROWS: '0', TERM: '../x' }), [])).toEqual(PLAIN)
  })

  test('environment files are read below the working directory of the host, and --env wins', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'a.env'), '\ufeff# comment\r\nA=file\r\n\nQ="kept"\n  B=2\r\nFROM_HERE\n')
    const world = testWorld({ HAL9000_CWD: directory, FROM_HERE: 'here' })
    expect(await sent(world, ['--env-file', 'a.env', '-e', 'A=flag'])).toMatchObject({
      settings: { env: { A: 'flag', Q: '"kept"', B: '2', FROM_HERE: 'here' } },
    })
  })

  test('secrets travel as base64, whatever their bytes', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'token'), Buffer.from([0, 255, 10, 195]))
    expect(await sent(testWorld({ HAL9000_CWD: directory }), ['--secret', 'TOKEN=token'])).toMatchObject({
      secrets: { TOKEN: Buffer.from([0, 255, 10, 195]).toString('base64') },
    })
  })
})

test.each([
  [['-e', 'NOT_SET_HERE'], 'no variable of that name is set here'],
  [['-e', '=x'], 'has no name before "="'],
  [['--secret', 'NAME'], 'is not NAME=FILE'],
  [['--secret', 'NAME=/no/such/file'], 'there is no such file'],
  [['--env-file', '/tmp'], 'it is not a file'],
])('%j is refused without asking the coordinator', async (argv, message) => {
  const world = testWorld({ ...CWD, HAL9000_SOCKET: '/tmp/hal9000-nowhere.sock' })
  expect(await run('spawn', spawn, world, argv)).toBe(2)
  expect(world.err()).toContain(message)
})

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hal9000-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}
