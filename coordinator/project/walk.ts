import { lstat, readlink } from 'node:fs/promises'
import { posix } from 'node:path'

/** As many as Linux follows, path_resolution(7). */
const MAX_LINKS = 40

/**
 * The real path of `path` as seen from inside `root`: absolute links start at `root` again, and ".." never leaves it.
 * What realpath(1) would say after a chroot. undefined when something on the way does not exist.
 */
export async function walk(root: string, path: string): Promise<string | undefined> {
  const todo = parts(path)
  let real: string[] = []
  let links = 0
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === '..') {
      real = real.slice(0, -1)
      continue
    }
    const here = posix.join(root, ...real, part)
    const facts = await lstat(here).catch(() => undefined)
    if (facts === undefined) return undefined
    if (!facts.isSymbolicLink()) {
      real = [...real, part]
      continue
    }
    links += 1
    if (links > MAX_LINKS) return undefined
    // A link of /proc may be closed even to root: nobody can follow it, so it leads nowhere.
    const target = await readlink(here).catch(() => undefined)
    if (target === undefined) return undefined
    if (target.startsWith('/')) real = []
    todo.unshift(...parts(target))
  }
  return `/${real.join('/')}`
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}
