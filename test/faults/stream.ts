import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExitRecord } from '../../coordinator/contract/worker.ts'
import type { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'
import type { Chance } from './chance.ts'

/** How long a command is repeated whose caller was cut off: the parent it ran in was killed, or its engine. Milliseconds. */
const PATIENCE = 240_000
/** How much longer than a worker lives one command may take: a caller in a parent that was killed may never hear of it. Milliseconds. */
const HANGS = 30_000

/**
 * One worker after the other, from outside, until `goesOn` says no. Each writes down in the ledger that it began and that it
 * came to its end, and has an exit code of its own. The answer: what was not as it should be.
 */
export async function stream(
  id: string,
  { instance, project, seconds, chance }: { instance: Instance; project: string; seconds: number; chance: Chance },
  goesOn: () => boolean,
): Promise<{ wrong: string[]; asked: number; acknowledged: string[] }> {
  const wrong: string[] = []
  const acknowledged: string[] = []
  let asked = 0
  while (goesOn()) {
    const name = `${id}-${asked}`
    const code = asked % 100
    const sleeps = chance.between(seconds / 6, seconds).toFixed(1)
    const script = `echo begin ${name} >>ledger; sleep ${sleeps}; echo end ${name} >>ledger; exit ${code}`
    asked += 1
    const timeout = seconds * 1000 + HANGS
    const words = ['spawn', '-d', '--json', '-n', name, project, '--', 'sh', '-c', script]
    const spawned = await instance.exec(words, { timeout })
    const ready = answerOf(spawned.stdout) !== undefined && spawned.code === 0
    if (ready) acknowledged.push(name)
    const stops = chance.next() < 0.3
    if (ready && stops) await answered(instance, ['stop', name], timeout)
    const end = await endOf(instance, name, ready, timeout)
    if (end === undefined) {
      if (ready) wrong.push(`${name} was acknowledged, and nobody knows it`)
      continue
    }
    // A stop may come when it has ended by itself, or is about to.
    const right = end.exitCode === code && (end.reason === 'exited' || (stops && end.reason === 'stopped'))
    const stopped = stops && end.reason === 'stopped' && end.exitCode === 143
    if (ready && !right && !stopped) wrong.push(`${name}: ${end.reason} ${end.exitCode}, not ${code}`)
  }
  return { wrong, asked, acknowledged }
}

/** What the ledger says against what was acknowledged: each of those began once, and nothing at all began twice. */
export async function ledgerOf(project: string, acknowledged: readonly string[]): Promise<string[]> {
  const lines = (await readFile(join(project, 'ledger'), 'utf8')).split('\n').filter((line) => line !== '')
  const times = new Map([...Map.groupBy(lines, (line) => line)].map(([line, same]) => [line, same.length]))
  const never = acknowledged.filter((name) => !times.has(`begin ${name}`)).map((name) => `${name} never began`)
  const twice = [...times].filter(([, count]) => count > 1).map(([line, count]) => `${count} times: ${line}`)
  return [...never, ...twice]
}

/** How a worker ended; undefined when nobody knows it, as of a request whose caller was cut off before it was taken. */
async function endOf(
  instance: Instance,
  name: string,
  known: boolean,
  timeout: number,
): Promise<ExitRecord | undefined> {
  const answer = await answered(instance, ['wait', name], timeout)
  if ('exit' in answer) return answer.exit as ExitRecord
  if (!known) return undefined
  throw new Error(`${name}: ${JSON.stringify(answer)}`)
}

/** Repeats a command until the coordinator has answered it, for or against. */
async function answered(instance: Instance, words: readonly string[], timeout: number): Promise<object> {
  return await until(
    `an answer to ${words.join(' ')}`,
    async () => {
      const { stdout } = await instance.exec(['coordinator', ...words, '--json'], { timeout })
      const answer = answerOf(stdout)
      return answer !== undefined && !isTrouble(answer) && answer
    },
    PATIENCE,
  )
}

function answerOf(stdout: string): object | undefined {
  try {
    const answer: unknown = JSON.parse(stdout)
    return typeof answer === 'object' && answer !== null ? answer : undefined
  } catch {
    return undefined // The caller was killed, or it never got so far.
  }
}

/** The coordinator, or what it needs, is away: no answer yet. */
function isTrouble(answer: object): boolean {
  const { error } = answer as { error?: { code: string } }
  return error !== undefined && ['not-ready', 'engine-unreachable', 'interrupted', 'unexpected'].includes(error.code)
}
