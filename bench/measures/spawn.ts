import { z } from 'zod'
import { pairs, type Rounds } from '../pairs.ts'
import type { Result } from '../result.ts'
import type { Stage } from '../stage.ts'

const Answer = z.object({ timings: z.record(z.string(), z.number()) })

/** The way of a spawn in the words of its timings, each with the one before it. */
const STAGES = [
  ['received', 'dequeued', 'checked, queued and taken up'],
  ['dequeued', 'admitted', 'admitted'],
  ['admitted', 'created', 'container created'],
  ['created', 'started', 'container attached and started'],
  ['started', 'ready', 'worker ready'],
] as const

/** A detached spawn until it is ready, against `docker run` of the same container, both called in a container. */
export async function spawn(stage: Stage, rounds: Rounds): Promise<Result[]> {
  const stages = new Map<string, number[]>()
  const note = (stage: string, ms: number): void => void stages.set(stage, [...(stages.get(stage) ?? []), ms])

  const ours = async (): Promise<number> => {
    const name = stage.fresh()
    const words = ['spawn', '--detach', '--json', '--name', name, stage.project, '--', 'sleep', 'infinity']
    const { ms, stdout } = await stage.inParent(words)
    const timings: Record<string, number> = { received: 0, ...Answer.parse(JSON.parse(stdout)).timings }
    for (const [before, after, what] of STAGES)
      note(what, (timings[after] ?? Number.NaN) - (timings[before] ?? Number.NaN))
    note('outside of the coordinator: docker exec, Node, the answer', ms - (timings['ready'] ?? Number.NaN))
    await stage.coordinator(['stop', '--time', '0', name])
    return ms
  }
  const plain = async (): Promise<number> => {
    const name = stage.fresh()
    const { ms } = await stage.inClient(stage.plainRun(name, ['--detach'], ['sleep', 'infinity']))
    await stage.removePlain(name)
    return ms
  }

  const series = await pairs(rounds, ours, plain)
  return [
    {
      what: 'spawn --detach, until ready',
      unit: 'ms',
      ours: series.ours,
      against: { what: 'docker run --detach', samples: series.against },
      target: { of: 'ratio', limit: 2 },
    },
    ...[...stages].map(([what, samples]): Result => ({
      what: `· ${what}`,
      unit: 'ms',
      ours: samples.slice(rounds.warmUp),
    })),
  ]
}

/** A foreground spawn of `true` from the call to the last word, against `docker run`. */
export async function foreground(stage: Stage, rounds: Rounds): Promise<Result[]> {
  const ours = async (): Promise<number> =>
    (await stage.inParent(['spawn', '--foreground', '--name', stage.fresh(), stage.project, '--', 'true'])).ms
  const plain = async (): Promise<number> => {
    const name = stage.fresh()
    const { ms } = await stage.inClient(stage.plainRun(name, ['--rm'], ['true']))
    return ms
  }
  const series = await pairs(rounds, ours, plain)
  const against = { what: 'docker run --rm … true', samples: series.against }
  return [{ what: 'spawn --foreground -- true, whole', unit: 'ms', ours: series.ours, against }]
}
