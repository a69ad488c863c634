import { run } from './program.ts'
import { coordinatorVerbs } from './verbs.ts'
import { realWorld } from './world.ts'

void main()

async function main(): Promise<void> {
  // The bundler puts the version in the place of this variable.
  const version = process.env.HAL9000_BUILD_VERSION ?? 'unbuilt'
  process.exitCode = await run('coordinator', coordinatorVerbs, realWorld(version), process.argv.slice(2))
}
