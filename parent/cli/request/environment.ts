import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Environment } from '../context.ts'

/** Variables of ours that say how to talk to the coordinator or to the launcher, not what to run. */
const OURS_ALONE = new Set(
  ['SOCKET', 'HANDOFF', 'CWD', 'COLUMNS', 'ROWS', 'LIFELINE', 'INPUT_MARK', 'TERMINAL'].map(
    (name) => `HAL9000_${name}`,
  ),
)

/** The worker's environment from `--env-file` texts, then `--env` words; later ones win. */
export function workerEnvironment(
  files: readonly string[],
  words: readonly string[],
  env: Environment,
): Record<string, string> {
  const pairs = [
    ...files.flatMap((text) => fileLines(text).map((line) => pair(line, '--env-file', env))),
    ...words.map((word) => pair(word, '--env', env)),
  ]
  return Object.fromEntries(pairs)
}

/** What the coordinator may read from our environment: settings and the marker. */
export function clientEnvironment(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        (/^(WORKER|HAL9000)_/.test(entry[0]) || entry[0] === 'AGENTIC_IN_CONTAINER') &&
        !OURS_ALONE.has(entry[0]),
    ),
  )
}

/** As Docker reads such a file: `K=V` a line, no quotes, `#` begins a comment line. */
function fileLines(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, '').trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

function pair(word: string, option: string, env: Environment): [string, string] {
  const equals = word.indexOf('=')
  if (equals > 0) return [word.slice(0, equals), word.slice(equals + 1)]
  const value = equals === -1 ? env[word] : undefined
  if (value !== undefined) return [word, value]
  const problem = equals === 0 ? 'has no name before "="' : 'has no value, and no variable of that name is set here'
  throw new Failure('invalid-value', `${option} "${word}" ${problem}.`, { hint: 'spawn --help' })
}
