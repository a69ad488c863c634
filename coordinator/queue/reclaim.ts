import type { Queue } from 'bullmq'

/** Takes the lock off a job and marks it as one to be looked at by the next check. KEYS: lock, stalled, stalled-check. */
const RECLAIM = `
redis.call('DEL', KEYS[1], KEYS[3])
redis.call('SADD', KEYS[2], ARGV[1])`

/**
 * Hands back the jobs that a dead predecessor was working on. Nobody works on them, the instance's kernel lock says so: the
 * next check for stalled jobs need not wait until their locks run out. Keys are those of BullMQ 6 (moveStalledJobsToWait).
 * `worker`: the name under which this coordinator and those before it work.
 */
export async function reclaim(queue: Queue, worker: string): Promise<void> {
  const redis = await queue.getBackend().client
  redis.defineCommand('reclaim', { numberOfKeys: 3, lua: RECLAIM })
  for (const { id, processedBy } of await queue.getActive()) {
    if (id === undefined || processedBy !== worker) continue
    const keys = [`${id}:lock`, 'stalled', 'stalled-check'].map((key) => queue.toKey(key))
    await redis.runCommand('reclaim', [...keys, id])
  }
}
