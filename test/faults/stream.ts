import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExitRecord } from '../../coordinator/contract/worker.ts'
import type { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'
import type { Chance } from './chance.ts'

/** How long a command is repeated whose caller was cut off: the parent it ran in was killed, or its engine; again and again. Milliseconds. */
const PATIENCE = 900_000
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
    const ask = (verb: string): Promise<object | string> => answered(instance, [verb, name], timeout).catch(String)
    const stopping = ready && stops ? await ask('stop') : {}
    const answer = await ask('wait')
    for (const never of [stopping, answer]) if (typeof never === 'string') wrong.push(never)
    // What was not acknowledged may have failed, or never have been heard of.
    const end = typeof answer === 'object' && 'exit' in answer ? (answer.exit as ExitRecord) : undefined
    if (ready && end === undefined) wrong.push(`${name} was acknowledged: ${JSON.stringify(answer)}`)
    if (end === undefined) continue
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

/** Repeats a command until the coordinator has answered it, for or against. */
async function answered(instance: Instance, words: readonly string[], timeout: number): Promise<object> {
  const tries: string[] = []
  const once = async (): Promise<object | false> => {
    const { code, ms, stdout, stderr } = await instance.exec(['coordinator', ...words, '--json'], { timeout })
    tries.push(`${new Date().toISOString()} ${code} after ${Math.round(ms)} ms: ${stdout} ${stderr}`)
    const answer = answerOf(stdout)
    return answer !== undefined && !isTrouble(answer) && answer
  }
  return await until(`an answer to ${words.join(' ')}`, once, PATIENCE).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${tries.slice(-10).join('\n')}`)
  })
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
