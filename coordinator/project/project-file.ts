import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

/** The settings that a repository brings along. */
const PROJECT_FILE = 'hal9000.json'
const MAX_PROJECT_FILE = 64 * 1024

/** Read without following a link: the repository is not trusted. null when there is none. */
export async function readProjectFile(directory: string): Promise<string | null> {
  try {
    await using file = await open(
      join(directory, PROJECT_FILE),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    const facts = await file.stat()
    if (!facts.isFile() || facts.size > MAX_PROJECT_FILE) return null
    return await file.readFile('utf8')
  } catch {
    return null
  }
}
