import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import type { Output } from '../support/run.ts'
import { toldCommands } from '../support/told-commands.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  await begin('run', ['w1', 'w2'])
})
afterAll(() => instance.down())

/** What deploys or builds, or ends the daemon, has tests of its own. */
const ELSEWHERE = /^\.\/hal9000 (up|down|build|restart|test|--)|^\S+ daemon (start|stop|restart)/

/** Codes of ours that say that a command could not be meant for where it is told. */
const WRONG = new Set([1, 2, 3, 4, 5, 7, 9, 10, 125, 126, 127])

test('every command that a message, an example or a next step tells does in a real instance what it says', async () => {
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 8)
  const told = toldCommands({ worker: 'w1', project, hash })
    .map(({ words }) => words.map((word) => word.replace('~/work', project)))
    .filter((words) => !ELSEWHERE.test(words.join(' ')))
  const ends = (words: readonly string[]): boolean => words.some((word) => /^(stop|stop-all|rm|--name)$/.test(word))
  const changes = (words: readonly string[]): boolean => ends(words) || words.includes('spawn')
  const outcomes = await Promise.all(told.filter((words) => !changes(words)).map(ran))
  // Those that only add a worker first, one after the other as a person would; nothing of theirs is in the way.
  for (const words of told.filter(changes).sort((a, b) => Number(ends(a)) - Number(ends(b)))) {
    if (ends(words))
      await begin(words.includes('rm') ? 'are kept' : 'run', words.includes('--name') ? [] : ['w1', 'w2'])
    outcomes.push(await ran(words))
  }
  expect(outcomes.length).toBeGreaterThan(30)
  expect(outcomes.filter(({ line, code }) => code !== expected(line) && code !== null && WRONG.has(code))).toEqual([])
}, 120_000)

/** No request waits here that could be taken back, and 9 says so. */
const expected = (line: string): number => (line.startsWith('coordinator queue cancel') ? 9 : 0)

/** Exactly these workers are there. Some examples tell of two. */
async function begin(how: 'run' | 'are kept', names: readonly string[]): Promise<void> {
  const command = how === 'run' ? '-d -n $n $p -- sleep 1000' : '--no-rm -n $n $p -- true'
  const script = `coordinator stop-all --yes --time 0; p=$0; for n; do spawn --replace ${command} || exit; done`
  expect(await instance.exec(['sh', '-c', script, project, ...names])).toMatchObject({ code: 0 })
}

/** What came of it; one that has not ended after a while does what it is there for, and has no code. */
async function ran(words: string[]): Promise<{ line: string } & Pick<Output, 'code' | 'stderr'>> {
  const input = words.includes('--stdin') ? { input: 'what is read' } : {}
  const options = { ...input, env: { HAL9000_CWD: project }, timeout: 3_000 }
  const [program, ...rest] = words
  const { code, signal, stderr } = await (program === './hal9000'
    ? instance.hal(rest, options)
    : instance.exec(words, options))
  const isForTerminals = stderr.includes('needs a terminal')
  return { line: words.join(' '), code: signal !== null || isForTerminals ? null : code, stderr }
}
