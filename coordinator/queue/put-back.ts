import type { Redis } from 'ioredis'
import { type Fence, raiseEpoch } from '../store/fence.ts'
import type { SpawnQueue } from './spawn-queue.ts'

/** How soon it is tried again. Milliseconds. */
const RETRY = 100

/**
 * Whenever Redis is back it may be an older copy of itself, or empty: what was acknowledged and has no answer yet is put there
 * again. As long as the coordinator lives, nothing depends on what Redis has kept.
 */
export function putBackWhenBack(redis: Redis, fence: Fence, queue: Pick<SpawnQueue, 'putBack'>): void {
  const putBack = async (): Promise<void> => {
    while (redis.status === 'ready') {
      try {
        // An older copy has an older epoch, and would refuse us.
        await raiseEpoch(redis, fence)
        return await queue.putBack()
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY).unref())
      }
    }
  }
  redis.on('ready', () => void putBack())
}
