import { pairs, type Rounds } from '../pairs.ts'
import type { Result } from '../result.ts'
import type { Stage } from '../stage.ts'

/** How many are started at once. */
const AT_ONCE = 20

/** Many detached spawns at the same time, until the last one is ready, against as many `docker run`. */
export async function throughput(stage: Stage, rounds: Rounds): Promise<Result[]> {
  const ours = async (): Promise<number> => {
    const ms = await together(
      (name) => stage.inParent(['spawn', '--detach', '--name', name, stage.project, '--', 'sleep', 'infinity']),
      stage,
    )
    await stage.coordinator(['stop-all', '--yes'])
    return ms
  }
  const plain = async (): Promise<number> => {
    const names: string[] = []
    const ms = await together((name) => {
      names.push(name)
      return stage.inClient(stage.plainRun(name, ['--detach'], ['sleep', 'infinity']))
    }, stage)
    await Promise.all(names.map((name) => stage.removePlain(name)))
    return ms
  }
  const series = await pairs(rounds, ours, plain)
  const against = { what: `${AT_ONCE} × docker run --detach at once`, samples: series.against }
  return [{ what: `${AT_ONCE} × spawn --detach at once, until all are ready`, unit: 'ms', ours: series.ours, against }]
}

/** Wall time until all are done; waits for all also when one fails, so that nothing is under way at the clean-up. */
async function together(start: (name: string) => Promise<unknown>, stage: Stage): Promise<number> {
  const began = performance.now()
  const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => start(stage.fresh())))
  const ms = performance.now() - began
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return ms
}
