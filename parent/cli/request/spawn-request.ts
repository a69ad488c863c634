import type { SpawnRequestInput } from '../../../coordinator/contract/request.ts'
import type { PullPolicy } from '../../../coordinator/contract/pull.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Context } from '../context.ts'
import type { DetachKeys } from '../terminal/detach-keys.ts'
import { terminalName, terminalSize } from '../terminal/size.ts'
import { clientEnvironment, workerEnvironment } from './environment.ts'
import { readOptionFile } from './file.ts'
import { hostPath, projectPath } from './project.ts'
import { secretsOf } from './secrets.ts'

/** The options of `spawn` as commander gives them. */
export type SpawnOptions = {
  name?: string
  detach?: true
  foreground?: true
  image?: string
  pull?: PullPolicy
  rm?: boolean
  memory?: string
  cpus?: string
  pidsLimit?: string
  limits: boolean
  env?: string[]
  envFile?: string[]
  secret?: string[]
  replace?: true
  tty: boolean
  stdin?: true
  timeout?: string
  onNetworkLoss?: 'keep' | 'stop'
  wait?: string
  noWait?: true
  json?: true
  detachKeys?: DetachKeys
}

/**
 * The words of a command line as a plain request. Nothing is decided or checked here but what only this side can know:
 * paths of the host, files, and options that exclude each other.
 */
export function spawnRequest(project: string | undefined, options: SpawnOptions, context: Context): SpawnRequestInput {
  const { env } = context
  refuseConflicts(options, context.rest)
  const files = (options.envFile ?? []).map((path) =>
    readOptionFile(hostPath(path, '--env-file', env), '--env-file').toString('utf8'),
  )
  const size = terminalSize(context)
  const term = terminalName(context)
  return {
    id: context.newId('r'),
    project: projectPath(project, env),
    ...present({
      name: options.name,
      command: context.rest && [...context.rest],
      run: options.detach ? ('detached' as const) : options.foreground ? ('foreground' as const) : undefined,
      wait: options.wait,
      size,
      term,
    }),
    settings: present({
      image: options.image,
      pull: options.pull,
      memory: options.memory,
      cpus: options.cpus,
      pidsLimit: options.pidsLimit,
      noLimits: options.limits ? undefined : true,
      env: options.env || options.envFile ? workerEnvironment(files, options.env ?? [], env) : undefined,
      timeout: options.timeout,
      onNetworkLoss: options.onNetworkLoss,
    }),
    secrets: secretsOf(options.secret ?? [], (path) => readOptionFile(hostPath(path, '--secret', env), '--secret')),
    remove: options.rm !== false,
    replace: options.replace === true,
    io: options.tty ? 'session' : 'pipes',
    noWait: options.noWait === true,
    clientEnv: clientEnvironment(env),
  }
}

function refuseConflicts(options: SpawnOptions, rest: readonly string[] | undefined): void {
  const conflict = (one: string, other: string): Failure =>
    new Failure('usage', `${one} and ${other} exclude each other.`, { hint: 'spawn --help' })
  if (options.detach && options.foreground) throw conflict('--detach', '--foreground')
  if (options.noWait && options.foreground) throw conflict('--no-wait', '--foreground')
  if (rest?.length === 0) {
    throw new Failure('usage', 'There is no command after "--".', { hint: 'spawn --help' })
  }
}

/** The same object without what is undefined. */
function present<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const left: { [K in keyof T]?: Exclude<T[K], undefined> } = {}
  return Object.assign(left, Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)))
}
