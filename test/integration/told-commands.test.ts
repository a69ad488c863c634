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
  await begin(['w1', 'w2'])
})
afterAll(() => instance.down())

/** What deploys or builds is shown by the tests of the launcher. */
const LAUNCHERS_OWN = /^\.\/hal9000 (up|down|build|restart|test|--)/
/** What ends the coordinator, and starts it again, is shown by the tests of the daemon's verbs. */
const DAEMONS_OWN = /^(coordinator|\.\/hal9000) daemon (start|stop|restart)/

/** Codes of ours that say that a command could not be meant for where it is told. */
const WRONG = new Set([1, 2, 3, 4, 5, 7, 9, 10, 125, 126, 127])

test('every command that a message, an example or a next step tells does in a real instance what it says', async () => {
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 8)
  const told = toldCommands({ worker: 'w1', project, hash })
    .map(({ words }) => words.map((word) => word.replace('~/work', project)))
    .filter((words) => !LAUNCHERS_OWN.test(words.join(' ')) && !DAEMONS_OWN.test(words.join(' ')))
  const changes = (words: readonly string[]): boolean => words.some((word) => /^(spawn|stop|stop-all|rm)$/.test(word))
  const outcomes = await Promise.all(told.filter((words) => !changes(words)).map(ran))
  for (const words of told.filter(changes)) {
    await begin(words.includes('--name') ? [] : ['w1', 'w2'])
    outcomes.push(await ran(words))
  }
  expect(outcomes.length).toBeGreaterThan(30)
  expect(outcomes.filter(({ code }) => code !== null && WRONG.has(code))).toEqual([])
}, 120_000)

/** Exactly these workers run. Some examples tell of two. */
async function begin(names: readonly string[]): Promise<void> {
  const script = 'coordinator stop-all --yes --time 0; p=$0; for n; do spawn -d -n $n $p -- sleep 1000 || exit; done'
  expect(await instance.exec(['sh', '-c', script, project, ...names])).toMatchObject({ code: 0 })
}

/** What came of it; one that has not ended after a while does what it is there for, and has no code. */
async function ran(words: string[]): Promise<{ line: string } & Pick<Output, 'code' | 'stderr'>> {
  const options = { env: { HAL9000_CWD: project }, timeout: 3_000 }
  const [program, ...rest] = words
  const { code, signal, stderr } = await (program === './hal9000'
    ? instance.hal(rest, options)
    : instance.exec(words, options))
  const isForTerminals = stderr.includes('needs a terminal')
  return { line: words.join(' '), code: signal !== null || isForTerminals ? null : code, stderr }
}
