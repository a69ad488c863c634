import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Worker } from '../../coordinator/contract/worker.ts'
import { Instance, OWNER } from '../support/instance.ts'
import { type Output, run, type RunOptions, until } from '../support/run.ts'

let instance: Instance
let project: string
let worker: Worker

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  worker = (await instance.spawn(['-n', 'w', '-e', 'MINE=a b', project, '--', 'sleep', '1000'])).worker
})
afterAll(() => instance.down())

/** The two ways in without a terminal. */
const WAYS = [
  ['./hal9000 exec', (words: readonly string[], options?: RunOptions) => instance.hal(['exec', ...words], options)],
  [
    'docker exec … coordinator exec',
    (words: readonly string[], options?: RunOptions) => instance.exec(['coordinator', 'exec', ...words], options),
  ],
] as const satisfies [string, (words: readonly string[], options?: RunOptions) => Promise<Output>][]

describe.each(WAYS)('%s', (_way, exec) => {
  test("runs as the worker's user, in the project, with the worker's environment", async () => {
    const script = 'id -u; id -g; pwd; echo "$MINE $HOME $USER"; grep -c "^Cap...:.0*$" /proc/self/status'
    const { code, stdout, stderr } = await exec(['w', '--', 'sh', '-c', script])
    expect([code, stdout, stderr]).toEqual([0, `${OWNER}\n${OWNER}\n${project}\na b /home/worker worker\n5\n`, ''])
  })

  test.each([
    ['exit 0', 0],
    ['exit 3', 3],
    ['exit 255', 255],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ])('exits as the command does: %s', async (script, code) => {
    expect(await exec(['w', '--', 'sh', '-c', script])).toMatchObject({ code, stdout: '', stderr: '' })
  })

  test('keeps the two outputs apart, without a final newline', async () => {
    const { code, stdout, stderr } = await exec(['w', '--', 'sh', '-c', 'printf out; printf err >&2; exit 9'])
    expect([code, stdout, stderr]).toEqual([9, 'out', 'err'])
  })

  test('passes 3 MB of any bytes through, and the end of the input', async () => {
    const input = randomBytes(3_000_000)
    const { code, bytes } = await exec(['w', '--', 'cat'], { input })
    expect([code, bytes.equals(input)]).toEqual([0, true])
  })

  test('passes arguments byte for byte', async () => {
    const words = ['', ' ', ';', '-x', '--', 'two\nlines', '$(id)', '"\'', 'é', 'x'.repeat(100_000)]
    const { bytes } = await exec(['w', '--', 'printf', String.raw`%s\0`, ...words])
    expect(bytes.toString()).toBe(words.map((word) => `${word}\0`).join(''))
  })

  test('says what could not be run, with the code for it', async () => {
    expect(await exec(['w', '--', 'no-such-command'])).toMatchObject({
      code: 127,
      stderr: 'hal9000: Command not found: no-such-command\n',
    })
    expect(await exec(['w', '--', '/etc/passwd'])).toMatchObject({ code: 126 })
  })
})

test('nobody reads the output any more: the command is hung up on', async () => {
  const script = "trap 'echo >reader-gone; exit' HUP; while echo y; do sleep 0.01; done"
  const line = ['sh', '-c', 'coordinator exec w -- sh -c "$1" | head -n 1', 'sh', script]
  expect(await instance.exec(line)).toMatchObject({ code: 0, stdout: 'y\n' })
  await until('it was hung up on', () => there('reader-gone'))
})

test('an empty input ends at once, and with --no-stdin ours is left alone', async () => {
  expect(await instance.exec(['coordinator', 'exec', 'w', '--', 'cat'])).toMatchObject({ code: 0, stdout: '' })
  const loop = 'coordinator exec --no-stdin w -- cat; read -r line; echo "left: $line"'
  expect(await instance.exec(['sh', '-c', loop], { input: 'mine\n' })).toMatchObject({ stdout: 'left: mine\n' })
})

test('twenty at once do not disturb each other, and leave no notes behind', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, turn) => instance.exec(['coordinator', 'exec', 'w', '--', 'echo', String(turn)])),
  )
  expect(all.map(({ code, stdout }) => [code, stdout])).toEqual(all.map((_, turn) => [0, `${turn}\n`]))
  await instance.exec(['coordinator', 'exec', 'w', '--', 'true'])
  const notes = await run('docker', ['exec', worker.id, 'ls', '/run/hal9000/commands'])
  // Its own, and those of commands that were still ending.
  expect(notes.stdout.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(2)
})

test('a worker without a terminal, too', async () => {
  await instance.spawn(['-n', 'pipes', '--no-tty', project, '--', 'sleep', '1000'])
  expect(await instance.exec(['coordinator', 'exec', 'pipes', '--', 'echo', 'hello'])).toMatchObject({
    code: 0,
    stdout: 'hello\n',
  })
})

describe.each(['TERM', 'INT', 'HUP', 'KILL'] as const)('a launcher that is ended by %s', (name) => {
  test('hangs up on the command at once; nohup keeps one', async () => {
    const [hup, alive] = [`hup-${name}`, `alive-${name}`]
    const script = `trap 'echo hup >${hup}; exit' HUP; nohup sh -c 'sleep 3; echo >${alive}' >/dev/null 2>&1 & echo up; while :; do sleep 0.05; done`
    const launched = instance.background(['exec', 'w', '--', 'sh', '-c', script])
    await launched.printed('up')
    const since = Date.now()
    launched.kill(`SIG${name}`)
    await until('the command was hung up on', () => there(hup))
    expect(Date.now() - since).toBeLessThan(3_000)
    await until('the one with nohup went on', () => there(alive))
  })
})

test('what cannot be entered is refused with the next step', async () => {
  const refusals = [
    [['nobody', '--', 'true'], 5, 'Next: coordinator list'],
    [['w', 'ls', '.'], 2, 'Next: coordinator exec w -- ls .'],
    [['w', 'ls', '-l'], 2, 'Options of the command go after "--".'],
    [['w', '--'], 2, 'Next: coordinator shell w'],
    [['w'], 2, 'Next: coordinator shell w'],
  ] as const
  for (const [words, code, hint] of refusals) {
    const refused = await instance.exec(['coordinator', 'exec', ...words])
    expect([words, refused.code, refused.stdout]).toEqual([words, code, ''])
    expect(refused.stderr).toContain(hint)
  }
  await instance.spawn(['-n', 'over', '--no-rm', project, '--', 'true'])
  await instance.ended('over')
  expect(await instance.exec(['coordinator', 'exec', 'over', '--', 'true'])).toMatchObject({
    code: 9,
    stderr: 'Worker "over" has ended.\nNext: coordinator logs over\n',
  })
})

test('a paused worker says so, and the next step works', async () => {
  const { id } = (await instance.spawn(['-n', 'paused', project, '--', 'sleep', '1000'])).worker
  await run('docker', ['pause', id])
  const refused = await instance.exec(['coordinator', 'exec', 'paused', '--', 'true'])
  expect(refused).toMatchObject({ code: 9, stderr: expect.stringContaining('Worker "paused" is paused.') })
  const [, next = ''] = /^Next: (.*)$/m.exec(refused.stderr) ?? []
  expect(await run('sh', ['-c', next])).toMatchObject({ code: 0 })
  expect(await instance.exec(['coordinator', 'exec', 'paused', '--', 'true'])).toMatchObject({ code: 0 })
})

test('a command whose worker is stopped under it ends with it, and says so', async () => {
  await instance.spawn(['-n', 'short', project, '--', 'sleep', '1000'])
  const running = instance.exec(['coordinator', 'exec', 'short', '--', 'sh', '-c', 'echo >begun; sleep 1000'])
  await until('it runs', () => there('begun'))
  await instance.exec(['coordinator', 'stop', 'short'])
  expect((await running).code).toBe(137)
})

async function there(name: string): Promise<boolean> {
  return await readFile(join(project, name)).then(
    () => true,
    () => false,
  )
}
