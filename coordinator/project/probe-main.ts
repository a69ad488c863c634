import { stat } from 'node:fs/promises'
import { posix } from 'node:path'
import { readProjectFile } from './project-file.ts'
import { HOST_ROOT } from './probe.ts'
import type { Found } from './resolve.ts'
import { walk } from './walk.ts'

/** Runs in the probe container: says as one line of JSON what is at a host path (its only argument). */
async function look(path: string): Promise<Found> {
  const real = await walk(HOST_ROOT, path)
  if (real === undefined) return { type: 'missing' }
  const inside = posix.join(HOST_ROOT, real)
  const facts = await stat(inside)
  if (!facts.isDirectory()) return { type: 'other', path: real }
  const { uid, gid, dev, ino } = facts
  return {
    type: 'directory',
    path: real,
    uid,
    gid,
    identity: `${dev}:${ino}`,
    projectFile: await readProjectFile(inside),
  }
}

void look(process.argv[2] ?? '/').then((found) => process.stdout.write(`${JSON.stringify(found)}\n`))
