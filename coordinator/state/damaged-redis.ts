import { constants } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A copy of a damaged append-only file of the embedded Redis, and what was made of the file itself. */
export type DamagedCopy = { path: string; outcome: string }

/** How much of an outcome is read: one sentence. Characters. */
const MAX_OUTCOME = 300
/** The directory is the redis user's: no link of its is followed, and nothing that it puts there waited for. */
const PLAINLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The copies that `parent/services/redis/repair` has set aside and nobody has removed, oldest first. */
export async function damagedCopies(home: string): Promise<DamagedCopy[]> {
  const redis = join(home, 'redis')
  const names = (await readdir(redis).catch(() => [])).filter((name) => /^damaged-[\dTZ-]+$/.test(name))
  return await Promise.all(names.sort().map(async (name) => await copyAt(join(redis, name))))
}

/** Those that nobody was told of yet. Each is given once, as long as that can be written down. */
export async function untoldCopies(home: string): Promise<DamagedCopy[]> {
  const copies = await damagedCopies(home)
  const untold = await Promise.all(
    copies.map(async ({ path }) => {
      try {
        await writeFile(join(path, 'told'), '', { flag: 'wx', mode: 0o600 })
        return true
      } catch {
        return false
      }
    }),
  )
  return copies.filter((_, index) => untold[index])
}

/** What a person is told of one. */
export function damageText({ path, outcome }: DamagedCopy): string {
  return `the append-only file of Redis was damaged: ${outcome} (a copy of it as it was: ${path})`
}

async function copyAt(path: string): Promise<DamagedCopy> {
  const outcome = await readFile(join(path, 'outcome'), { encoding: 'utf8', flag: PLAINLY }).catch(() => '')
  return { path, outcome: outcome.trim().slice(0, MAX_OUTCOME) || 'what had been acknowledged may be lost' }
}
