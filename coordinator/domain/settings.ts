import type { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import type { PullPolicy } from '../contract/pull.ts'
import { Settings } from '../contract/request.ts'
import { formatSize } from '../contract/units.ts'
import type { Limits, OnNetworkLoss } from '../contract/worker.ts'
import { isBuiltHere } from './image-reference.ts'

/** Where a setting can come from, strongest first (design, section 4.2). */
export type Layers = {
  flags: Settings
  clientEnv: Settings
  projectFile: Settings
  userFile: Settings
  parentEnv: Settings
}

export type Host = { cpus: number; memory: number }

export type Resolved = {
  image: string
  pull: PullPolicy
  command: string[] | undefined
  limits: Limits
  env: Record<string, string>
  /** Milliseconds; undefined = no limit. */
  timeout: number | undefined
  onNetworkLoss: OnNetworkLoss
  /** What was decided against what someone wrote down, for the person to read. */
  notices: string[]
}

/** The defaults of seed 002. */
const DEFAULT_LIMITS = { memory: 4 * 2 ** 30, cpus: 2, pids: 100 }

type LimitName = keyof Limits
const KEY = { memory: 'memory', cpus: 'cpus', pids: 'pidsLimit' } as const satisfies Record<LimitName, keyof Settings>
const OPTION: Record<LimitName, string> = { memory: '--memory', cpus: '--cpus', pids: '--pids-limit' }
const VARIABLE: Record<LimitName, string> = { memory: 'WORKER_MEMORY', cpus: 'WORKER_CPUS', pids: 'WORKER_PIDS_LIMIT' }

/**
 * One answer out of all layers: flag > client's environment > project file > user file > parent's environment > default.
 * The project file came with a repository: it may set image, command and plain environment and lower limits, never widen.
 * Fails with `invalid-value` when an explicit limit is more than the host has; a default above it is lowered with a notice.
 */
export function resolveSettings(layers: Layers, defaults: { image: string }, host: Host): Resolved {
  const notices: string[] = []
  const { flags, clientEnv, projectFile, userFile, parentEnv } = layers
  const trusted = [flags, clientEnv, userFile, parentEnv]
  const unlimited = trusted.find((layer) => layer.noLimits !== undefined)?.noLimits === true
  if (projectFile.noLimits === true)
    notices.push('The project file asks for no limits; a project file may only lower them.')

  const limit = (name: LimitName): number | null => {
    const flag = flags[KEY[name]]
    if (flag !== undefined) return fitExplicit(name, flag, OPTION[name], host)
    const variable = flags.noLimits === true ? undefined : clientEnv[KEY[name]]
    if (variable !== undefined) return fitExplicit(name, variable, VARIABLE[name], host)
    const base = unlimited
      ? null
      : fitDefault(name, userFile[KEY[name]] ?? parentEnv[KEY[name]] ?? DEFAULT_LIMITS[name], host, notices)
    const lowered = projectFile[KEY[name]]
    if (lowered === undefined) return base
    if (base === null || lowered <= base) return lowered
    notices.push(
      `The project file's ${KEY[name]} is above the limit of ${show(name, base)}; a project file may only lower it.`,
    )
    return base
  }

  const image =
    flags.image ?? clientEnv.image ?? projectFile.image ?? userFile.image ?? parentEnv.image ?? defaults.image
  const widest = userFile.timeout ?? parentEnv.timeout
  // 0 is no limit, as for timeout(1).
  const timeout = flags.timeout ?? clientEnv.timeout ?? least(widest, projectFile.timeout)
  return {
    image,
    pull: pullPolicy(image, layers, notices),
    command: flags.command ?? projectFile.command ?? userFile.command,
    limits: { memory: limit('memory'), cpus: limit('cpus'), pids: limit('pids') },
    env: { ...userFile.env, ...projectFile.env, ...flags.env },
    timeout: timeout === 0 ? undefined : timeout,
    // As with limits: a project may have itself stopped, not undo that it is.
    onNetworkLoss:
      flags.onNetworkLoss ??
      clientEnv.onNetworkLoss ??
      (projectFile.onNetworkLoss === 'stop' ? 'stop' : (userFile.onNetworkLoss ?? parentEnv.onNetworkLoss ?? 'keep')),
    notices,
  }
}

/**
 * Our own images are built, never pulled. And a repository decides of nothing that it is fetched: where its file names the
 * image, only the flag of this very spawn has it pulled.
 */
function pullPolicy(image: string, layers: Layers, notices: string[]): PullPolicy {
  const { flags, clientEnv, projectFile, userFile, parentEnv } = layers
  if (isBuiltHere(image)) {
    if (flags.pull !== undefined && flags.pull !== 'never')
      notices.push(`Image "${image}" was not pulled: images of that name are built here.`)
    return 'never'
  }
  const isProjects = (flags.image ?? clientEnv.image) === undefined && projectFile.image !== undefined
  const standing = isProjects ? undefined : (clientEnv.pull ?? userFile.pull ?? parentEnv.pull)
  return flags.pull ?? standing ?? 'never'
}

const VARIABLES = {
  WORKER_IMAGE: 'image',
  WORKER_PULL: 'pull',
  WORKER_MEMORY: 'memory',
  WORKER_CPUS: 'cpus',
  WORKER_PIDS_LIMIT: 'pidsLimit',
  WORKER_TIMEOUT: 'timeout',
  WORKER_ON_NETWORK_LOSS: 'onNetworkLoss',
} as const satisfies Record<string, keyof Settings>

/** The settings that WORKER_* variables give; an empty one counts as unset. Fails with `invalid-value`, naming the variable. */
export function settingsFromEnvironment(environment: Record<string, string | undefined>, whose: string): Settings {
  const given = Object.entries(VARIABLES).flatMap(([variable, key]) => {
    const value = environment[variable]
    return value === undefined || value === '' ? [] : [[key, value] as const]
  })
  const parsed = Settings.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const variable = Object.entries(VARIABLES).find(([, key]) => key === issue?.path[0])?.[0]
  throw new Failure('invalid-value', `${variable} in the ${whose} environment: ${said(issue)}.`)
}

/**
 * Settings from a JSON file's text, but for keys of `others`, which are none of a worker's. Fails with `invalid-value`,
 * naming the file.
 */
export function settingsFromFile(text: string, file: string, others: readonly string[] = []): Settings {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new Failure('invalid-value', `${file} is not valid JSON.`, { cause })
  }
  const parsed = Settings.safeParse(stringNumbers(json, others))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Failure('invalid-value', `${file}: ${issue?.path.length ? `${issue.path.join('.')}: ` : ''}${said(issue)}.`)
}

/** Settings from the file that a repository brings along. Fails as the above, and on what such a file may not decide. */
export function settingsFromProjectFile(text: string, file: string): Settings {
  const settings = settingsFromFile(text, file)
  if (settings.pull === undefined) return settings
  throw new Failure('invalid-value', `${file}: pull: a project may not decide that an image is fetched.`, {
    hint: 'take it out, and give the spawn --pull yourself',
  })
}

/** `"timeout": 90` and `"memory": 1073741824` are as good as their text. */
function stringNumbers(json: unknown, others: readonly string[]): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json
  const text = (key: string, value: unknown): unknown =>
    typeof value === 'number' && (key === 'memory' || key === 'timeout') ? String(value) : value
  const own = Object.entries(json).filter(([key]) => !others.includes(key))
  return Object.fromEntries(own.map(([key, value]) => [key, text(key, value)]))
}

/** What is wrong, in the words of the schema; of a name in a record, what is wrong with the name. */
function said(issue: z.core.$ZodIssue | undefined): string {
  return (issue?.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue?.message ?? 'is not understood'
}

/** `given`: the option or variable with which a person asked for it. */
function fitExplicit(name: LimitName, value: number, given: string, host: Host): number {
  const most = name === 'pids' ? Number.POSITIVE_INFINITY : host[name]
  if (value <= most) return value
  throw new Failure(
    'invalid-value',
    `${given} ${show(name, value)} is more than this host has (${show(name, most)}).`,
    { hint: `give ${given} a value up to what the host has` },
  )
}

function fitDefault(name: LimitName, value: number, host: Host, notices: string[]): number {
  const most = name === 'pids' ? Number.POSITIVE_INFINITY : host[name]
  if (value <= most) return value
  notices.push(`The ${name} limit of ${show(name, value)} was lowered to the ${show(name, most)} that this host has.`)
  return most
}

function show(name: LimitName, value: number): string {
  return name === 'memory' ? formatSize(value) : String(value)
}

/** The smaller of two times, of which undefined and 0 are no limit. */
function least(a: number | undefined, b: number | undefined): number | undefined {
  if (!a || !b) return a || b
  return Math.min(a, b)
}
