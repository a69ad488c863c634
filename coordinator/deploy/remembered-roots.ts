import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { writeAtomically } from '../state/atomic-file.ts'

const Remembered = z.object({ roots: z.array(z.string().startsWith('/')) })

/**
 * The project roots are remembered in the state volume: it outlives the parent, and `down` without `--volumes`.
 * undefined when nothing is remembered yet.
 */
export async function readRoots(stateDirectory: string): Promise<string[] | undefined> {
  const path = join(stateDirectory, 'config', 'roots.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    return Remembered.parse(JSON.parse(text)).roots
  } catch (cause) {
    throw new Failure(
      'unexpected',
      'config/roots.json in the state volume cannot be read: it is not a list of project roots.',
      {
        hint: 'remove that file and write it anew: ./hal9000 up --projects DIR',
        cause,
      },
    )
  }
}

export async function writeRoots(stateDirectory: string, roots: readonly string[]): Promise<void> {
  const directory = join(stateDirectory, 'config')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeAtomically(join(directory, 'roots.json'), `${JSON.stringify({ roots }, null, 2)}\n`)
}
