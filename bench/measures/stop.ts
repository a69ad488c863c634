import { setTimeout as sleep } from 'node:timers/promises'
import { pairs, type Rounds } from '../pairs.ts'
import type { Result } from '../result.ts'
import type { Stage } from '../stage.ts'

/** A command may need this long until it has set its traps. Milliseconds. */
const SETTLE = 700
/** Docker's init in front, as a person would have it: without one `sleep` as process 1 never hears TERM. */
const INIT = '/usr/bin/tini'

type Case = {
  what: string
  command: readonly string[]
  /** Options of `docker run` beyond a worker's. */
  options?: readonly string[]
  /** Seconds between TERM and KILL; the default of both sides is 10. */
  grace?: number
  /** Seconds it may take. */
  within?: number
}

const TREE = 'for n in 1 2 3; do sh -c "sleep 1000 & sleep 1000 & wait" & done; wait'

const CASES: readonly Case[] = [
  { what: 'honours TERM', command: ['sleep', 'infinity'], within: 1 },
  {
    what: 'ignores TERM and HUP, -t 2',
    command: ['sh', '-c', 'trap "" TERM HUP; while :; do sleep 1; done'],
    grace: 2,
    within: 3,
  },
  { what: 'a tree of ten processes', command: ['sh', '-c', TREE], within: 1 },
  { what: 'interactive bash', command: ['bash', '-i'], options: ['--tty', '--interactive'], within: 1 },
]

/** `coordinator stop` until the worker is gone and its exit record written, against a plain `docker stop`. */
export async function stop(stage: Stage, rounds: (slow: boolean) => Rounds): Promise<Result[]> {
  const results: Result[] = []
  for (const one of CASES) {
    const slow = one.grace !== undefined || one.options !== undefined
    const series = await pairs(rounds(slow), ours(stage, one), plain(stage, one))
    results.push({
      what: `coordinator stop: ${one.what}`,
      unit: 'ms',
      ours: series.ours,
      against: { what: 'docker stop', samples: series.against },
      ...(one.within === undefined ? {} : { target: { of: 'value', limit: one.within * 1000 } }),
    })
  }
  return results
}

function ours(stage: Stage, { command, grace }: Case): () => Promise<number> {
  return async () => {
    const name = await stage.worker(command)
    await sleep(SETTLE)
    return (await stage.coordinator(['stop', ...time(grace), name])).ms
  }
}

function plain(stage: Stage, { command, options = [], grace }: Case): () => Promise<number> {
  return async () => {
    const name = stage.fresh()
    await stage.docker(stage.plainRun(name, ['--detach', ...options], [INIT, '--', ...command]))
    await sleep(SETTLE)
    const { ms } = await stage.inClient(['stop', ...time(grace), stage.plainName(name)])
    await stage.removePlain(name)
    return ms
  }
}

function time(grace: number | undefined): string[] {
  return grace === undefined ? [] : ['-t', String(grace)]
}
