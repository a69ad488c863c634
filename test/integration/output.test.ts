import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

const MODES = [
  ['session', []],
  ['pipes', ['--no-tty']],
] as const

/** More than 5 MB of lines that tell their place. */
const COUNT = 70_000
const PADDING = 'x'.repeat(70)
const MANY = Array.from({ length: COUNT }, (_, index) => `${String(index + 1).padStart(8, '0')}${PADDING}\n`).join('')
const PRINT = `seq -f %08.f${PADDING} 1 ${COUNT}`

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

describe.each(MODES)('5 MB of output, %s', (mode, options) => {
  test('is complete and in order: live, followed, followed slowly, and kept', async () => {
    const go = `go-${mode}`
    const script = `until [ -e ${go} ]; do sleep 0.1; done; ${PRINT}; until [ -e ${go}-on ]; do sleep 0.1; done; exit 6`
    const { worker } = await instance.spawn(['-n', `loud-${mode}`, ...options, project, '--', 'sh', '-c', script])
    const followed = logs('-f', worker.request)
    // Reads nothing until the container is gone.
    const slow = `coordinator logs -f ${worker.request} | { until [ -e /tmp/${go} ]; do sleep 0.1; done; sha256sum; }`
    const slowly = instance.exec(['sh', '-c', slow])
    await writeFile(join(project, go), '')
    await until(
      'all is out',
      async () => (await logs('-n', '1', worker.request)).stdout === `000${COUNT}${PADDING}\n`,
      60_000,
    )
    same(await logs(worker.request))
    await writeFile(join(project, `${go}-on`), '')
    expect(await instance.ended(worker.request)).toMatchObject({ exit: { exitCode: 6, logCut: false } })
    await until('it is removed', async () => (await instance.workerContainers()).length === 0)
    await instance.exec(['touch', `/tmp/${go}`])
    same(await logs(worker.request))
    same(await followed)
    expect((await slowly).stdout).toBe(`${createHash('sha256').update(MANY).digest('hex')}  -\n`)
  }, 120_000)

  test('in the foreground, of a command that ends with its last byte', async () => {
    const ran = await instance.exec(['spawn', ...options, project, '--', 'sh', '-c', `${PRINT}; exit 7`])
    expect(ran.code).toBe(7)
    same(ran)
  }, 60_000)
})

describe.each(MODES)('bytes, %s', (mode, options) => {
  test.each([
    ['no newline at the end', 'printf "a\\nb"', 'a\nb'],
    ['nothing at all', ':', ''],
    ['CR LF', 'printf "a\\r\\nb\\r\\n"', 'a\r\nb\r\n'],
    ['an empty line first', 'printf "\\n\\na\\n"', '\n\na\n'],
    ['UTF-8 over many bytes', 'printf "grüß 漢字 🚀\\n"', 'grüß 漢字 🚀\n'],
    ['a line of 100,000 characters', 'head -c 100000 /dev/zero | tr "\\0" x; echo', `${'x'.repeat(100_000)}\n`],
  ])('%s', async (_what, script, output) => {
    const ran = await instance.exec(['spawn', '-n', 'bytes', ...options, project, '--', 'sh', '-c', script])
    expect(ran).toMatchObject({ code: 0, stdout: output })
    expect((await logs('bytes')).stdout).toBe(output)
  })

  test('control bytes come through with --raw, and a terminal’s CR LF too', async () => {
    const codes = Array.from({ length: 128 }, (_, code) => code)
    const octal = codes.map((code) => `\\${code.toString(8).padStart(3, '0')}`).join('')
    await instance.exec(['spawn', '-n', 'raw', ...options, project, '--', 'sh', '-c', `printf '${octal}'`])
    const expected = Buffer.from(codes.flatMap((code) => (code === 10 && mode === 'session' ? [13, 10] : [code])))
    expect((await logs('--raw', 'raw')).bytes.toString('hex')).toBe(expected.toString('hex'))
  })
})

test('a follower that wants nothing of what was before gets nothing of it, not even at the end', async () => {
  const script = 'echo before; until [ -e after ]; do sleep 0.1; done; echo after; echo last'
  await instance.spawn(['-n', 'tailed', project, '--', 'sh', '-c', script])
  await until('it has begun', async () => (await logs('tailed')).stdout === 'before\n')
  const tailed = logs('-f', '-n', '0', 'tailed')
  await until('it is followed', async () => (await instance.exec(['sh', '-c', FOLLOWERS])).stdout !== '0\n')
  await writeFile(join(project, 'after'), '')
  expect((await tailed).stdout).toBe('after\nlast\n')
})

/** Counts the followers in the parent, this shell excepted. */
const FOLLOWERS = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'logs [-]f' || :"

test('on pipes stdout and stderr are kept apart, live and kept', async () => {
  const script = 'echo out1; echo err1 >&2; echo out2; echo err2 >&2; until [ -e apart ]; do sleep 0.1; done'
  await instance.spawn(['-n', 'apart', '--no-tty', project, '--', 'sh', '-c', script])
  const apart = { code: 0, stdout: 'out1\nout2\n', stderr: 'err1\nerr2\n' }
  await until('all is said', async () => (await logs('apart')).stderr === apart.stderr)
  expect(await logs('apart')).toMatchObject(apart)
  await writeFile(join(project, 'apart'), '')
  await instance.ended('apart')
  expect(await logs('apart')).toMatchObject(apart)
})

test('--tail, --since and --timestamps tell the same of a live log and of a kept one', async () => {
  const script = 'seq 1 5; until [ -e late ]; do sleep 0.1; done; seq 6 8; until [ -e end ]; do sleep 0.1; done'
  await instance.spawn(['-n', 'parts', project, '--', 'sh', '-c', script])
  await until('the first are out', async () => (await logs('parts')).stdout.endsWith('5\n'))
  const between = new Date().toISOString()
  await writeFile(join(project, 'late'), '')
  await until('all are out', async () => (await logs('parts')).stdout.endsWith('8\n'))
  for (const state of ['running', 'ended']) {
    expect(await instance.json(['inspect', 'parts'])).toMatchObject({ worker: { state } })
    expect((await logs('-n', '2', 'parts')).stdout).toBe('7\n8\n')
    expect((await logs('-n', '0', 'parts')).stdout).toBe('')
    expect((await logs('-n', '100', 'parts')).stdout).toBe('1\n2\n3\n4\n5\n6\n7\n8\n')
    expect((await logs('--since', between, 'parts')).stdout).toBe('6\n7\n8\n')
    expect((await logs('--since', between, '-n', '1', 'parts')).stdout).toBe('8\n')
    const stamped = (await logs('-t', '-n', '2', 'parts')).stdout
    expect(stamped).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z [78]\n){2}$/)
    await writeFile(join(project, 'end'), '')
    if (state === 'running') await instance.ended('parts')
  }
})

function logs(...args: string[]): ReturnType<Instance['exec']> {
  return instance.exec(['coordinator', 'logs', ...args])
}

/** Not `toBe` at once: nobody wants to read the difference of 5 MB. */
function same(output: { stdout: string }): void {
  const lines = output.stdout.split('\n')
  const wrong = lines.findIndex((line, index) => Number.parseInt(line, 10) !== index + 1)
  expect({ lines: lines.length - 1, inOrder: wrong }).toEqual({ lines: COUNT, inOrder: COUNT })
  expect(output.stdout === MANY).toBe(true)
}
