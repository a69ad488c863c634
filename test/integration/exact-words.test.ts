import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

/** What has a meaning to tmux, a shell, commands, terminals, or the assignment, on the way. */
const MEANINGFUL = [
  [';', 'a;', '\\;', ';kill-server', '#{pane_pid}', '#(id)', '%1'],
  ['$(id)', '`id`', '$HOME', '~', '*', '!!', '|', '&', '>x', "'", '"', '\\', '\\n', '{a,b}', '#'],
  ['-', '--', '-c', '--help', '--json', '-la'],
  ['', ' ', 'a b', '\t', 'a\nb', '\n', 'a\r\n', ' lead', 'trail '],
  ['\u001B[31mred\u001B[0m', '\u0003', '\u0004', '\u001A', '\u007F', '\u0001', 'grüß 漢字 🚀'],
  ['end=', 'arg=x', 'env=A=1', 'hal9000=1', '\u001Ehal9000 ready'],
].flat()

const WORDS: [what: string, words: string[]][] = [
  ['with a meaning of their own', MEANINGFUL],
  ['2,000 of them', Array.from({ length: 2_000 }, (_, index) => `word-${index}`)],
  ['one of 100 kB', ['x'.repeat(100_000)]],
]

describe.each([
  ['in a session', []],
  ['on pipes', ['--no-tty']],
])('%s', (_how, options) => {
  test.each(WORDS)('a command gets the very words that it was given: %s', async (_what, words) => {
    await rm(join(project, 'argv'), { force: true })
    const note = ['sh', '-c', String.raw`printf "%s\0" "$@" >argv`, 'note']
    const ran = await instance.exec(['spawn', ...options, project, '--', ...note, ...words])
    expect(await readFile(join(project, 'argv'), 'utf8')).toBe(words.map((word) => `${word}\0`).join(''))
    expect(ran).toMatchObject({ code: 0, stderr: '' })
  })
})

test('the launcher passes words as they are', async () => {
  const note = ['sh', '-c', String.raw`printf "%s\0" "$@" >argv`, 'note']
  const ran = await instance.hal(['spawn', '--no-tty', project, '--', ...note, ...MEANINGFUL])
  expect(await readFile(join(project, 'argv'), 'utf8')).toBe(MEANINGFUL.map((word) => `${word}\0`).join(''))
  expect(ran).toMatchObject({ code: 0, stderr: '' })
})

test.each([
  ['as an argument', 'spawn -d "$0" -- echo "$(printf "a\\377b")"'],
  ['as the name', 'spawn -d -n "$(printf "a\\377b")" "$0" -- true'],
  ['as the project', 'spawn -d "$0/$(printf "a\\377b")" -- true'],
  ['in the environment', 'spawn -d -e "A=$(printf "a\\377b")" "$0" -- true'],
  ['in an environment file', 'printf "A=a\\377b\\n" >/tmp/bytes; spawn -d --env-file /tmp/bytes "$0" -- true'],
])('bytes that are no UTF-8 are refused %s, because they could not be passed exactly', async (_where, script) => {
  const refused = await instance.exec(['sh', '-c', script, project])
  expect(await instance.workerContainers()).toEqual([])
  expect(refused).toMatchObject({ code: 2, stdout: '' })
})

const ESCAPES = '\u001B[31mred\u001B]0;title\u0007\u009B2J\u202Egnp'

test.each([
  ['the name of a new worker', ['spawn', '-d', '-n', ESCAPES, 'PROJECT', '--', 'true'], 2],
  ['an image', ['spawn', '-d', '-i', ESCAPES, 'PROJECT', '--', 'true'], 2],
  ['a project', ['spawn', '-d', `PROJECT/${ESCAPES}`, '--', 'true'], 5],
  ['a command that is not there', ['spawn', '-d', 'PROJECT', '--', `./${ESCAPES}`], 127],
  ['an option', ['spawn', `--${ESCAPES}`, 'PROJECT', '--', 'true'], 2],
  ['the name of no worker', ['coordinator', 'logs', ESCAPES], 5],
  ['a verb', ['coordinator', ESCAPES], 2],
  ['a filter', ['coordinator', 'list', '--filter', ESCAPES], 2],
  ['a variable', ['spawn', '-d', '-e', `${ESCAPES}=1`, 'PROJECT', '--', 'true'], 2],
])('what would command a terminal is told without that: %s', async (_what, words, code) => {
  const said = await instance.exec(words.map((word) => word.replace('PROJECT', project)))
  expect(said.stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/)
  expect(said).toMatchObject({ code, stdout: '' })
})

test.each([
  [[ESCAPES], 2],
  [[`--${ESCAPES}`], 2],
  [['up', ESCAPES], 2],
  [['up', '--projects', ESCAPES], 5],
  [['down', `--${ESCAPES}`], 2],
  [['logs', ESCAPES], 5],
])('what the launcher says of a word does not command the terminal: %j', async (words, code) => {
  const said = await instance.hal(words)
  expect(said.stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/)
  expect(said.code).toBe(code)
})

test('nor does what it says of its settings', async () => {
  const said = await instance.hal(['list'], { env: { HAL9000_NAME: ESCAPES } })
  expect(said.stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/)
  expect(said.code).toBe(2)
})
