import type { Rounds } from '../pairs.ts'
import type { Result } from '../result.ts'
import type { Stage } from '../stage.ts'

/** Each in turn, so that noise hits all alike; microseconds of each on a line. */
const SCRIPT = `
clock() { local began=\${EPOCHREALTIME/[.,]/}; "$@" >/dev/null || exit; echo -n "$((\${EPOCHREALTIME/[.,]/} - began)) "; }
for ((round = 0; round < $1; round++)); do
  clock node -e 0
  clock spawn --version
  clock coordinator list
  echo
done`

/** The start of our commands inside of the parent, without docker exec, against a Node that does nothing. */
export async function commands(stage: Stage, { warmUp, count }: Rounds): Promise<Result[]> {
  const { stdout } = await stage.inParent(['bash', '-c', SCRIPT, 'bash', String(warmUp + count)])
  const lines = stdout.trim().split('\n').slice(warmUp)
  const column = (index: number): number[] => lines.map((line) => Number(line.trim().split(' ')[index]) / 1000)
  const against = { what: 'node -e 0', samples: column(0) }
  return [
    { what: 'spawn --version, inside', unit: 'ms', ours: column(1), against },
    { what: 'coordinator list, inside', unit: 'ms', ours: column(2), against },
  ]
}
