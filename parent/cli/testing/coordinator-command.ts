import { run } from '../program.ts'
import { coordinatorVerbs } from '../verbs.ts'
import { testCoordinator, type Answer, type Seen } from './test-coordinator.ts'
import { testWorld, type TestWorld } from './test-world.ts'

/** One `coordinator` command line against a coordinator that answers as the test says. */
export async function coordinator(
  argv: readonly string[],
  answer: Answer,
  world: TestWorld = testWorld(),
): Promise<{ code: number; out: string; err: string; seen: Seen[] }> {
  await using server = await testCoordinator(answer)
  Object.assign(world.env, { HAL9000_SOCKET: server.socketPath })
  const code = await run('coordinator', coordinatorVerbs, world, argv)
  return { code, out: world.out(), err: world.err(), seen: server.seen }
}
