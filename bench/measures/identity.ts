import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identityOf } from '../../coordinator/instance/identity.ts'
import { LOCK_FILE } from '../../coordinator/instance/lock.ts'
import { prove } from '../../coordinator/instance/prove.ts'
import type { Result } from '../result.ts'

const CHECKS = 4_000
const WARM_UP = 200
/** Processes of one shell: it waits for none of them. */
const MORE = (count: number): string => `i=0; while [ $i -lt ${count} ]; do sleep 1d & i=$((i + 1)); done; echo; wait`

/**
 * Whether a process is the owner of an instance, with few and with 5,000 more processes on the machine: what is looked at is
 * that one process, so their number must not matter. Runs on the host, with a lock of its own.
 */
export async function identity(): Promise<Result[]> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'hal9000-bench-')))
  const holder = spawn('flock', ['--no-fork', join(home, LOCK_FILE), 'sh', '-c', 'echo; exec sleep 1d'])
  await spoken(holder)
  const owner = await identityOf(holder.pid ?? 0)
  const check = async (): Promise<void> => {
    const { is } = await prove(owner, home)
    if (is !== 'proven') throw new Error(`the holder of the lock is ${is}`)
  }
  try {
    const few = await slowest(check)
    const crowd = spawn('setsid', ['sh', '-c', MORE(5_000)])
    await spoken(crowd)
    const many = await slowest(check).finally(() => process.kill(-(crowd.pid ?? 0), 'SIGTERM'))
    return [
      {
        what: `identity check with 5,000 more processes, 99th percentile of ${CHECKS}`,
        unit: 'ms',
        ours: [many],
        against: { what: 'without them', samples: [few] },
        target: { of: 'value', limit: 10 },
      },
    ]
  } finally {
    holder.kill()
    await rm(home, { recursive: true })
  }
}

/** The 99th percentile of many checks. Milliseconds. */
async function slowest(check: () => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let turn = -WARM_UP; turn < CHECKS; turn += 1) {
    const since = performance.now()
    await check()
    if (turn >= 0) times.push(performance.now() - since)
  }
  return times.toSorted((a, b) => a - b)[Math.ceil(CHECKS * 0.99) - 1] ?? Number.NaN
}

/** Returns when it has printed something. */
async function spoken({ stdout }: ChildProcess): Promise<void> {
  for await (const _ of stdout ?? []) return
  throw new Error('it ended without a word')
}
