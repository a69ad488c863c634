import { Failure } from './contract/failure.ts'
import type { Surroundings } from './project/surroundings.ts'
import type { SpawnQueue } from './queue/spawn-queue.ts'
import type { Reconciler } from './reconciler/loop.ts'
import { checkDiskRoom } from './state/disk-room.ts'

export type HealthSources = {
  home: string
  /** A failure to store something, with what is wrong with the disk where that is the reason. */
  explained: (failure: Failure) => Promise<Failure>
  reconciler: Pick<Reconciler, 'trouble' | 'seen'>
  surroundings: Pick<Surroundings, 'checkNetwork'>
  queue: Pick<SpawnQueue, 'check' | 'trouble'>
  /** Whether Redis has taken this coordinator's epoch. */
  claimed: () => boolean
}

/** Every reason why a spawn would fail now, one at most of the engine's side and one of the queue's; none = ready to spawn. */
export async function problems({
  home,
  explained,
  reconciler,
  surroundings,
  queue,
  claimed,
}: HealthSources): Promise<Failure[]> {
  const engineTrouble =
    reconciler.trouble ??
    (reconciler.seen ? undefined : new Failure('not-ready', 'The first look at the engine is not over yet.')) ??
    (await failureOf(surroundings.checkNetwork()))
  const storeTrouble = (await failureOf(checkDiskRoom(home))) ?? (await failureOf(queue.check()))
  const queueTrouble =
    (storeTrouble && (await explained(storeTrouble))) ??
    (claimed() ? undefined : new Failure('not-ready', 'Redis has not taken our epoch yet.')) ??
    queue.trouble
  return [engineTrouble, queueTrouble].filter((problem) => problem !== undefined)
}

function failureOf(check: Promise<void>): Promise<Failure | undefined> {
  return check.then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  )
}
