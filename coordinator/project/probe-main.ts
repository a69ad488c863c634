import { posix } from 'node:path'
import { isWithin } from '../domain/project-policy.ts'
import { type Found, lookAt } from './directory.ts'
import { HOST_ROOT } from './probe.ts'
import { walk } from './walk.ts'

/** Runs in the probe container: says as one line of JSON what is at a host path (its only argument). */
async function look(path: string): Promise<Found> {
  const real = await walk(HOST_ROOT, path)
  const found: Found = real === undefined ? { type: 'missing' } : await lookAt(posix.join(HOST_ROOT, real))
  // A link that came after the walk leads into this container's own files: there is nothing of the host's.
  if (found.type === 'missing' || !isWithin(found.path, HOST_ROOT)) return { type: 'missing' }
  return { ...found, path: found.path.slice(HOST_ROOT.length) || '/' }
}

void look(process.argv[2] ?? '/').then((found) => process.stdout.write(`${JSON.stringify(found)}\n`))
