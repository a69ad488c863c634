import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContainerGuess, guessContainer, MARKER_FILES } from './container.ts'

/** The option's name in config/hal9000.json, and in the environment. */
export const ENFORCEMENT_KEY = 'enforceSingleDaemonProcess'
const ENFORCEMENT_VARIABLE = 'HAL9000_ENFORCE_SINGLE_DAEMON'

/** Whether a stale predecessor is ended, why so, and what the default was guessed from. */
export type Enforcement = { enforced: boolean; because: string; container: ContainerGuess }

/** User file > environment > default (on in a container). What is not understood is off, and says so: nothing is ended on a guess. */
export function decideEnforcement(
  userFile: string | undefined,
  variable: string | undefined,
  container: ContainerGuess,
): Enforcement {
  const chosen = fromFile(userFile) ?? fromVariable(variable)
  if (chosen !== undefined) return { ...chosen, container }
  const { score, threshold } = container
  const because = container.container
    ? `the default: in a container (score ${score}, threshold ${threshold})`
    : `the default: not in a container (score ${score}, threshold ${threshold})`
  return { enforced: container.container, because, container }
}

/** The option as it is set for this parent: from its state directory, environment and surface. */
export async function readEnforcement(
  home: string,
  environment: Record<string, string | undefined>,
): Promise<Enforcement> {
  const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
  const files = await Promise.all(
    MARKER_FILES.map((file) =>
      access(file).then(
        () => [file],
        () => [],
      ),
    ),
  )
  const container = guessContainer({
    environment,
    uid: process.getuid?.() ?? -1,
    files: files.flat(),
    cgroup: await text('/proc/self/cgroup'),
    mountinfo: await text('/proc/self/mountinfo'),
  })
  const userFile = await readFile(join(home, 'config', 'hal9000.json'), 'utf8').catch(() => undefined)
  return decideEnforcement(userFile, environment[ENFORCEMENT_VARIABLE], container)
}

type Choice = Pick<Enforcement, 'enforced' | 'because'>

function fromFile(text: string | undefined): Choice | undefined {
  if (text === undefined) return undefined
  let settings: unknown
  try {
    settings = JSON.parse(text)
  } catch {
    return { enforced: false, because: 'off: config/hal9000.json is not valid JSON' }
  }
  if (typeof settings !== 'object' || settings === null || !(ENFORCEMENT_KEY in settings)) return undefined
  const value = settings[ENFORCEMENT_KEY]
  if (typeof value === 'boolean') return { enforced: value, because: `${ENFORCEMENT_KEY} in config/hal9000.json` }
  return { enforced: false, because: `off: ${ENFORCEMENT_KEY} in config/hal9000.json is neither true nor false` }
}

const ON = new Set(['1', 'true', 'on', 'yes'])
const OFF = new Set(['0', 'false', 'off', 'no'])

function fromVariable(value: string | undefined): Choice | undefined {
  if (value === undefined || value === '') return undefined
  const word = value.toLowerCase()
  if (ON.has(word) || OFF.has(word)) return { enforced: ON.has(word), because: ENFORCEMENT_VARIABLE }
  return { enforced: false, because: `off: ${ENFORCEMENT_VARIABLE} is neither on nor off` }
}
