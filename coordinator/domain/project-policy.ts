import { posix } from 'node:path'
import { Failure } from '../contract/failure.ts'

/** Never a project, nor anything below: the host's own working parts. */
const SYSTEM = '/proc /sys /dev /etc /boot /run /var/run /var/spool /var/lib/containerd'.split(' ')
/** Nor what programs are run from: a project there would also lie over the worker's own. */
const PROGRAMS = (
  '/bin /sbin /lib /lib32 /lib64 /usr/bin /usr/sbin /usr/lib /usr/lib64 /usr/libexec /usr/share ' +
  '/usr/local/bin /usr/local/sbin /usr/local/lib'
).split(' ')
/** Where home directories are, one a user. */
const HOMES = new Set(['/home', '/Users'])
/** Directories that hold credentials, wherever they are below a home directory. */
const CREDENTIALS = new Set(['.ssh', '.gnupg', '.aws', '.docker', '.kube', '.hal9000'])

export type PolicyContext = {
  /** The engine's data directory on the host. */
  engineDirectory: string
  /** The user's home directory where it is known; /root, /home/* and /Users/* are known anyway. */
  homes: readonly string[]
}

/**
 * Says why a directory on the host may not be a project; undefined when it may.
 * `given` must be real (no links): a link to a denied place is denied by where it leads.
 */
export function deniedBecause(given: string, context: PolicyContext): string | undefined {
  const path = plain(given)
  const homes = context.homes.map(plain)
  if (path === '/') return 'it is the root of the file system'
  const denied = [plain(context.engineDirectory), ...SYSTEM, ...PROGRAMS]
  const above = denied.find((place) => isWithin(path, place))
  if (above !== undefined) return `it is in ${above}`
  const below = denied.find((place) => isWithin(place, path))
  if (below !== undefined) return `it contains ${below}`
  if (HOMES.has(path)) return 'it contains home directories'
  const home = homeOf(path, homes)
  if (home === path) return 'it is a home directory; use a directory below it'
  if (home !== undefined) {
    const credentials = path
      .slice(home.length + 1)
      .split('/')
      .find((part) => CREDENTIALS.has(part))
    if (credentials !== undefined) return `it is in ${credentials}, which holds credentials`
  }
  const inner = homes.find((candidate) => isWithin(candidate, path))
  return inner === undefined ? undefined : `it contains the home directory ${inner}`
}

/** Refuses a denied directory with `refused-by-policy`. */
export function checkProject(path: string, context: PolicyContext): void {
  const because = deniedBecause(path, context)
  if (because === undefined) return
  throw new Failure('refused-by-policy', `The directory ${path} cannot be a project: ${because}.`, {
    hint: 'name a directory of your own, such as a clone of a repository',
  })
}

export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)
}

/** Without dot segments and needless slashes: one spelling for each directory. */
function plain(path: string): string {
  return posix.resolve('/', path)
}

/** The home directory that `path` is, or is below; undefined outside of homes. */
function homeOf(path: string, homes: readonly string[]): string | undefined {
  const known = homes.find((home) => isWithin(path, home))
  if (known !== undefined) return known
  if (isWithin(path, '/root')) return '/root'
  const [, top = '', user] = path.split('/')
  return HOMES.has(`/${top}`) && user !== undefined ? `/${top}/${user}` : undefined
}
