import { isAbsolute, resolve } from 'node:path'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Environment } from '../context.ts'

/**
 * A path of the host as the person meant it. We run inside the parent, so our own working directory says nothing about
 * theirs: the launcher gives it in HAL9000_CWD. Throws `usage` where a relative path has nothing to stand on.
 */
export function hostPath(path: string, what: string, env: Environment): string {
  if (path === '') throw new Failure('usage', `${what} is empty.`, { hint: 'spawn --help' })
  if (isAbsolute(path)) return path
  return resolve(hostDirectory(`${what} "${path}" is relative`, env), path)
}

/** PROJECT, or the directory the launcher was called in. */
export function projectPath(project: string | undefined, env: Environment): string {
  return project === undefined ? hostDirectory('PROJECT is missing', env) : hostPath(project, 'PROJECT', env)
}

function hostDirectory(problem: string, env: Environment): string {
  const directory = env['HAL9000_CWD']
  if (directory !== undefined && isAbsolute(directory)) return directory
  throw new Failure(
    'usage',
    `${problem}, and the working directory on the host is not known here. Give an absolute path of the host.`,
    {
      hint: 'spawn --help',
    },
  )
}
