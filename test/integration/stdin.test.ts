import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAX_INPUT } from '../../coordinator/contract/control.ts'
import type { SpawnResult } from '../../coordinator/contract/worker.ts'
import { openTerminal, untilAttached, WAYS } from '../support/attached.ts'
import { control } from '../support/control.ts'
import { keptInputs, sumOf } from '../support/inputs.ts'
import { inspectContainer } from '../support/inspect.ts'
import { Instance, LAUNCHER } from '../support/instance.ts'
import { type Process, processes } from '../support/processes.ts'
import { type Output, run, until } from '../support/run.ts'
import type { Terminal } from '../support/terminal.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

const MOST = randomBytes(MAX_INPUT)
const MODES = [
  ['in a session', []],
  ['on pipes', ['--no-tty']],
] as const
type Way = (words: readonly string[], input: Buffer | string) => Promise<Output>
const RAW: Way = (words, input) => instance.exec(words, { input })
const BY_LAUNCHER: Way = (words, input) => instance.hal(words, { input })

/** The commands in the parent that have an input. */
async function spawns(): Promise<Process[]> {
  return (await processes(instance)).filter(({ command }) => command.includes('spawn --stdin'))
}

describe.each([
  ['docker exec -i', RAW],
  ['./hal9000', BY_LAUNCHER],
])('%s', (_how, call) => {
  describe.each(MODES)('%s', (_mode, options) => {
    test.each([
      ['nothing', Buffer.alloc(0)],
      ['NUL bytes, no UTF-8 and no final newline', Buffer.from('\0a\0\n\r\x04\xff', 'latin1')],
      ['what looks like an assignment', Buffer.from('x\0arg=rm\0end=\0')],
      ['8 MB', MOST],
    ])('the command reads %s, byte for byte', async (_what, input) => {
      const ran = await call(['spawn', '--foreground', '--stdin', ...options, project, '--', 'sha256sum'], input)
      expect(await keptInputs(instance)).toEqual([])
      expect(ran).toMatchObject({ code: 0, stdout: sumOf(input), stderr: '' })
    })
  })

  test('detached, queued and with --json it is the same', async () => {
    const spawn = (...words: string[]) => call(['spawn', '--stdin', ...words, project, '--', 'sha256sum'], MOST)
    const logs = async (ref: string) => (await instance.exec(['coordinator', 'logs', ref])).stdout
    const detached = await spawn('--detach')
    const name = detached.stdout.trim()
    await instance.ended(name)
    expect([detached.code, await logs(name)]).toEqual([0, sumOf(MOST)])
    const queued = await spawn('--no-wait')
    const request = queued.stdout.trim()
    await instance.ended(request)
    expect([queued.code, await logs(request)]).toEqual([0, sumOf(MOST)])
    const json = await spawn('--json', '--foreground')
    const { worker, source } = JSON.parse(json.stdout) as SpawnResult & { source: string }
    expect([json.code, source, await logs(worker.request)]).toEqual([0, 'command', sumOf(MOST)])
    expect(await keptInputs(instance)).toEqual([])
  })

  test('the exit code is the command’s, whether it reads or not', async () => {
    const spawn = (script: string) =>
      call(['spawn', '--foreground', '--stdin', project, '--', 'sh', '-c', script], MOST)
    expect((await spawn('head -c 3 >/dev/null; exit 7')).code).toBe(7)
    expect((await spawn('exit 9')).code).toBe(9)
  })

  test('without end, or one byte too much, it is refused and leaves nothing behind', async () => {
    const before = await instance.list('-a')
    const spawn = ['spawn', '--stdin', '--name', 'much', project, '--', 'cat']
    const more = await call(spawn, Buffer.alloc(MAX_INPUT + 1))
    const words = _how === './hal9000' ? [LAUNCHER] : ['docker', 'exec', '-i', instance.parent]
    const endless = await run('sh', ['-c', 'yes | "$@"', 'sh', ...words, ...spawn], {
      env: instance.env,
      cwd: instance.root,
    })
    expect([more.code, endless.code, await keptInputs(instance), await instance.workerContainers()]).toEqual([
      2,
      2,
      [],
      [],
    ])
    expect(await instance.list('-a')).toEqual(before)
    expect(more.stderr).toContain('The input is more than the 8 MiB that --stdin hands over.')
  })
})

test('one after the other read what is left of it, and a child that reads it all leaves nothing', async () => {
  const script = 'read -r line; echo "<$line>"; head -c 4; echo; cat >/dev/null; cat | wc -c'
  const ran = await instance.exec(['spawn', '--stdin', '--no-tty', project, '--', 'bash', '-c', script], {
    input: 'first\nsecond\nthird',
  })
  expect(ran.stdout).toBe('<first>\nseco\n0\n')
})

test.each(MODES)('%s nobody else has it, and its memory is free once it is closed', async (_mode, options) => {
  const used = "df --output=used /run | tail -n 1 | tr -d ' '"
  const script = `ls /run/hal9000/user | grep input; stat -Lc '%s %A' /proc/self/fd/0; (echo x >&0) 2>/dev/null || echo read-only
    before=$(${used}); exec </dev/null; echo $((before - $(${used})))`
  const ran = await instance.exec(['spawn', '--stdin', ...options, project, '--', 'sh', '-c', script], { input: MOST })
  expect(ran.stdout).toBe(`${MAX_INPUT} -rw-------\nread-only\n${MAX_INPUT / 1024}\n`)
})

test('where no more than the input fits, it is still read', async () => {
  const limits = ['--memory', '24m', '--pids-limit', '8']
  const ran = await instance.exec(['spawn', '--stdin', ...limits, project, '--', 'sha256sum'], { input: MOST })
  expect(ran).toMatchObject({ code: 0, stdout: sumOf(MOST) })
})

test('a project that belongs to root', async () => {
  const rooted = await instance.project('rooted', 0)
  const ran = await instance.exec(['spawn', '--stdin', rooted, '--', 'sha256sum'], { input: MOST })
  expect(ran).toMatchObject({ code: 0, stdout: sumOf(MOST) })
})

test('it is nowhere to be read but by the command', async () => {
  const script = 'cat >/dev/null; echo done; sleep 100'
  const { worker } = await instance.spawn(['--stdin', '-n', 'told', project, '--', 'sh', '-c', script], {
    input: 'c0nfidential input\n'.repeat(1000),
  })
  await until('it has read', async () => (await instance.exec(['coordinator', 'logs', 'told'])).stdout === 'done\n')
  expect((await inspectContainer(worker.id)).text).not.toContain('c0nfidential')
  const kept = 'cd /var/lib/hal9000 && ls redis/* sessions/* && ! grep -rl c0nfidential .'
  expect(await instance.exec(['sh', '-c', kept])).toMatchObject({ code: 0, stdout: expect.stringContaining('redis') })
  expect((await instance.hal(['logs'])).stdout).not.toContain('c0nfidential')
  await instance.exec(['coordinator', 'stop', 'told'])
})

test('a docker exec without -i has no stdin to hand over, and says so', async () => {
  const refused = await instance.exec(['spawn', '--stdin', project, '--', 'cat'])
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Next: add -i to docker exec') })
})

test('a person may watch in its session, and type to what reads the terminal', async () => {
  const script = 'cat; read -r word </dev/tty; echo "heard $word"; exit 4'
  const { worker } = await instance.spawn(['--stdin', '-n', 'watched', project, '--', 'sh', '-c', script], {
    input: 'from stdin\n',
  })
  await using terminal = await openTerminal(instance, './hal9000', ['attach', 'watched'])
  await terminal.shows('from stdin')
  await untilAttached(instance, worker, 1)
  await terminal.type('hello')
  expect(await terminal.ended()).toBe(4)
  const logs = await instance.exec(['coordinator', 'logs', 'watched'])
  expect(logs.stdout).toBe('from stdin\nhello\nheard hello\n')
})

describe.each(WAYS)('%s on a terminal', (way) => {
  const typing = async (...command: string[]): Promise<Terminal> => {
    const terminal = await openTerminal(instance, way, ['spawn', '--stdin', project, '--', ...command])
    await until('it reads what is typed', async () => (await spawns()).length > 0)
    return terminal
  }

  test('what is typed up to Ctrl-D is the input; the output is shown, and nothing is attached', async () => {
    const clients = 'sleep 1; tmux -S /run/hal9000/user/tmux list-clients | wc -l; wc -c; exit 6'
    await using terminal = await typing('sh', '-c', clients)
    await terminal.type('a line')
    await terminal.press('C-d')
    expect(await terminal.ended()).toBe(6)
    await terminal.shows(/^a line\n0\n7$/m)
  })

  test('Ctrl-C before that starts nothing', async () => {
    const before = await instance.list('-a')
    await using terminal = await typing('cat')
    await terminal.type('half a thought')
    await terminal.press('C-c')
    expect(await terminal.ended()).toBe(130)
    await until('no command is left in the parent', async () => (await spawns()).length === 0)
    expect(await instance.list('-a')).toEqual(before)
    expect(await keptInputs(instance)).toEqual([])
  })
})

describe('the coordinator', () => {
  /** A PUT of bytes, which `control` cannot make. */
  const put = async (request: string, input: Buffer): Promise<{ status: number; body: unknown }> => {
    const node = `const [, path] = process.argv, body = require('node:fs').readFileSync(0)
      const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length }
      const options = { socketPath: '/run/hal9000/control.sock', method: 'PUT', path, headers }
      require('node:http').request(options, async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        console.log(JSON.stringify({ status: response.statusCode, body: JSON.parse(text) }))
        process.exit()
      }).end(body)`
    const { stdout } = await instance.exec(['node', '-e', node, `/v1/inputs/${request}`], { input })
    return JSON.parse(stdout) as { status: number; body: unknown }
  }

  test('refuses more than 8 MiB, and an id that is none', async () => {
    expect(await put('r-too-much', Buffer.alloc(MAX_INPUT + 1))).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid-value', message: expect.stringContaining('8 MiB') } },
    })
    expect(await put('1', Buffer.alloc(1))).toMatchObject({ status: 400, body: { error: { code: 'invalid-value' } } })
    expect(await keptInputs(instance)).toEqual([])
  })

  test('refuses a request whose input has not come, and one that announces too much', async () => {
    const ask = (input: number) =>
      control(instance, 'POST', '/v1/workers', { id: 'r-not-come', project, command: ['cat'], input })
    expect(await ask(3)).toMatchObject({ status: 400, body: { error: { code: 'invalid-value' } } })
    expect(await ask(MAX_INPUT + 1)).toMatchObject({ status: 400, body: { error: { code: 'invalid-value' } } })
  })

  test('runs nothing when the input is not as long as it was announced', async () => {
    await put('r-other-length', Buffer.from('four'))
    const command = ['sh', '-c', 'echo ran >ran']
    const answer = await control(instance, 'POST', '/v1/workers', { id: 'r-other-length', project, command, input: 3 })
    expect(answer).toMatchObject({ body: { error: { message: expect.stringContaining('as long as') } } })
    await expect(readFile(join(project, 'ran'))).rejects.toThrow('ENOENT')
    expect(await instance.workerContainers()).toEqual([])
    await until('it is dropped', async () => (await keptInputs(instance)).length === 0)
  })

  test('drops the input of a request that it refuses', async () => {
    const spawn = ['spawn', '--stdin', '-d', '--image', 'hal9000/none:1', project, '--', 'cat']
    expect(await instance.exec(spawn, { input: 'x' })).toMatchObject({ code: 5 })
    await until('it is dropped', async () => (await keptInputs(instance)).length === 0)
  })
})
