import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

/** The settings that a repository brings along. */
export const PROJECT_FILE = 'hal9000.json'
const MOST_BYTES = 64 * 1024

/** The file's text, or why what is there under its name is not read; null when nothing is. */
export type ProjectFile = { text: string } | { unusable: string } | null

/** Read without following a link, and bounded: the repository is not trusted. */
export async function readProjectFile(directory: string): Promise<ProjectFile> {
  try {
    await using file = await open(
      join(directory, PROJECT_FILE),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    if (!(await file.stat()).isFile()) return { unusable: 'is not a file' }
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MOST_BYTES + 1), 0, MOST_BYTES + 1, 0)
    if (bytesRead > MOST_BYTES) return { unusable: 'is larger than 64 KiB' }
    return { text: buffer.toString('utf8', 0, bytesRead) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return null
    if (code === 'ELOOP') return { unusable: 'is a link, and links are not followed' }
    return { unusable: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}
