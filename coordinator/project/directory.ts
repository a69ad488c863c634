import { constants } from 'node:fs'
import { open, readlink, realpath } from 'node:fs/promises'
import { type ProjectFile, readProjectFile } from './project-file.ts'

/** What is at a path, links followed. */
export type Found =
  | { type: 'directory'; path: string; uid: number; gid: number; identity: string; projectFile: ProjectFile }
  | { type: 'other'; path: string }
  | { type: 'missing' }

/**
 * Looks at a directory: its real path, owner, identity and project file, all through one open descriptor. A path that is
 * followed twice can lead to two places, and whoever may write above a project could mix the owner of one with the
 * settings of another.
 */
export async function lookAt(path: string): Promise<Found> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK).catch(missing)
  if (handle === undefined) {
    const other = await realpath(path).catch(missing)
    return other === undefined ? { type: 'missing' } : { type: 'other', path: other }
  }
  await using directory = handle
  const descriptor = `/proc/self/fd/${directory.fd}`
  const { uid, gid, dev, ino } = await directory.stat()
  return {
    type: 'directory',
    path: await readlink(descriptor),
    uid,
    gid,
    identity: `${dev}:${ino}`,
    projectFile: await readProjectFile(descriptor),
  }
}

function missing(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined
  throw error
}
