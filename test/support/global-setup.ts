import { join } from 'node:path'
import { succeed } from './run.ts'

/**
 * The integration tests need an engine and the images of this checkout; both are made sure of here. With
 * HAL9000_PARENT_IMAGE the images are taken as they are, as `./hal9000 up` does.
 */
export default async function setup(): Promise<void> {
  await succeed('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 15_000 })
  if (process.env['HAL9000_PARENT_IMAGE']) return
  await succeed(join(import.meta.dirname, '..', '..', 'images', 'build'), ['--quiet-if-current'], { timeout: 900_000 })
}
