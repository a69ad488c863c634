import { Failure } from '../contract/failure.ts'
import type { ContainerId } from '../contract/names.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { type Said, separate } from '../domain/worker-says.ts'
import { engineFailure } from '../docker/engine-failure.ts'
import type { Engine, WorkerLine } from '../docker/engine.ts'

/** How long a started worker may take to its first word. Milliseconds. */
export const FIRST_WORD = 20_000

/**
 * The worker's first word. An engine that goes breaks off the line to it, or is silent on it, and what the worker was told
 * and has said is not known then: its log knows.
 */
export async function firstSaid(
  line: WorkerLine,
  id: ContainerId,
  order: SpawnOrder,
  engine: Engine,
): Promise<Said | undefined> {
  let silence: Failure | undefined
  const heard = await line.heard(FIRST_WORD).catch((error: unknown) => {
    silence = Failure.from(error)
    return undefined
  })
  if (heard !== undefined) return heard
  const said = await firstWord(id, engine, silence === undefined)
  if (said?.said === 'refused' && said.word === 'never-assigned') throw brokenOff(order)
  if (said === undefined && silence !== undefined) throw silence
  return said
}

/** What a worker said first, from its log: the line over which it said it is gone. */
export async function firstWord(id: ContainerId, engine: Engine, follow: boolean): Promise<Said | undefined> {
  const log = await engine.logs(id, { follow, signal: AbortSignal.timeout(FIRST_WORD) })
  for await (const entry of log ?? []) {
    const [said] = entry.output === 'stderr' ? separate(entry.data).said : []
    if (said !== undefined) return said
  }
  return undefined
}

function brokenOff({ name }: SpawnOrder): Failure {
  return engineFailure(`The Docker engine broke off before worker "${name}" was told its command.`)
}
