import { damageText, untoldCopies } from './state/damaged-redis.ts'
import type { Context } from './workers/context.ts'

/** Tells as an event what was done to a damaged append-only file of the embedded Redis, once for each time. */
export async function tellDamage({ home, note }: Pick<Context, 'home' | 'note'>): Promise<void> {
  for (const copy of await untoldCopies(home))
    note({ kind: 'redis-repaired', worker: null, project: null, request: null, message: damageText(copy) })
}
