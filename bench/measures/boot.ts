import { alone, type Rounds } from '../pairs.ts'
import type { Result } from '../result.ts'
import type { Stage } from '../stage.ts'

/** How long a parent may take until it is ready. Milliseconds. */
const READY_WITHIN = 30_000

/** A restart of the parent until it is ready to spawn, and an `up` that finds nothing to do. */
export async function boot(stage: Stage, rounds: Rounds): Promise<Result[]> {
  const restarts: number[] = []
  const ready = await alone(rounds, async () => {
    const began = performance.now()
    restarts.push((await stage.docker(['restart', stage.parent])).ms)
    await untilReady(stage, began + READY_WITHIN)
    return performance.now() - began
  })
  const up = await alone(rounds, async () => (await stage.hal(['up'])).ms)
  return [
    {
      what: 'docker restart of the parent, until ready',
      unit: 'ms',
      ours: ready,
      target: { of: 'value', limit: 2000 },
    },
    { what: '· docker restart alone: stopped and started', unit: 'ms', ours: restarts.slice(rounds.warmUp) },
    { what: './hal9000 up, a second time', unit: 'ms', ours: up, target: { of: 'value', limit: 1000 } },
  ]
}

async function untilReady(stage: Stage, deadline: number): Promise<void> {
  for (;;) {
    try {
      await stage.coordinator(['ready'])
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
  }
}
