import { pairs, type Rounds } from '../pairs.ts'
import type { Result } from '../result.ts'
import type { Stage } from '../stage.ts'

/** More at a time only add latency (the coordinator starts four at once). */
const AT_ONCE = 4

/** `coordinator list` with few and with many workers, against a command in the parent that does nothing. */
export async function list(stage: Stage, rounds: Rounds, many = 50): Promise<Result[]> {
  const results: Result[] = []
  let there = 0
  for (const workers of [1, many]) {
    await fill(stage, workers - there)
    there = workers
    const series = await pairs(
      rounds,
      async () => (await stage.coordinator(['list'])).ms,
      async () => (await stage.inParent(['true'])).ms,
    )
    results.push({
      what: `coordinator list, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      unit: 'ms',
      ours: series.ours,
      against: { what: 'docker exec … true', samples: series.against },
      target: { of: 'ratio', limit: 2 },
    })
  }
  const { ms } = await stage.coordinator(['stop-all', '--yes'])
  return [...results, { what: `coordinator stop-all, ${many} workers`, unit: 'ms', ours: [ms] }]
}

async function fill(stage: Stage, count: number): Promise<void> {
  let left = count
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await stage.worker(['sleep', 'infinity'])
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}
