import { run } from './program.ts'
import { spawn } from './verbs/spawn.ts'
import { realWorld } from './world.ts'

void main()

async function main(): Promise<void> {
  // The bundler puts the version in the place of this variable.
  const version = process.env.HAL9000_BUILD_VERSION ?? 'unbuilt'
  process.exitCode = await run('spawn', spawn, realWorld(version), process.argv.slice(2))
}
