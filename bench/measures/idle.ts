import { setTimeout as sleep } from 'node:timers/promises'
import { containerTime, memoryOf, type Part, processesOf, ticksOf } from '../processes.ts'
import type { Result } from '../result.ts'
import type { Stage } from '../stage.ts'

const TICK = 10 // milliseconds
const SETTLE = 5_000
const CORE: readonly Part[] = ['coordinator', 'redis', 'supervisor']

/** What the parent costs while nothing happens. `when` says at what point of the run; `span` in milliseconds. */
export async function idle(stage: Stage, when: string, span: number, signal: AbortSignal): Promise<Result[]> {
  await sleep(SETTLE, undefined, { signal })
  const processes = await processesOf(stage)
  const pid = processes[0]?.pid ?? 0
  const before = await Promise.all(processes.map((process) => ticksOf(process.pid)))
  const wholeBefore = await containerTime(pid)
  const began = performance.now()
  await sleep(span, undefined, { signal })
  const lasted = performance.now() - began
  const whole = (await containerTime(pid)) - wholeBefore
  const rows = await Promise.all(
    processes.map(async (process, index) => ({
      part: process.part,
      cpu: ((((await ticksOf(process.pid)) - (before[index] ?? 0)) * TICK) / lasted) * 100,
      ...(await memoryOf(process.pid)),
    })),
  )
  const sum = (parts: readonly Part[], of: 'rss' | 'pss' | 'cpu'): number[] => [
    rows.filter((row) => parts.includes(row.part)).reduce((total, row) => total + row[of], 0),
  ]
  return [
    {
      what: `idle ${when}: coordinator, Redis and supervisor, resident`,
      unit: 'MB',
      ours: sum(CORE, 'rss'),
      target: { of: 'value', limit: 150 },
    },
    ...CORE.map((part): Result => ({ what: `· ${part}, resident`, unit: 'MB', ours: sum([part], 'rss') })),
    { what: '· the three, shared pages divided (PSS)', unit: 'MB', ours: sum(CORE, 'pss') },
    {
      what: `idle ${when}: coordinator, Redis and supervisor, processor`,
      unit: '% of a core',
      ours: sum(CORE, 'cpu'),
      target: { of: 'value', limit: 1 },
    },
    { what: '· dashboard, resident', unit: 'MB', ours: sum(['dashboard'], 'rss') },
    { what: '· dashboard, shared pages divided (PSS)', unit: 'MB', ours: sum(['dashboard'], 'pss') },
    { what: '· dashboard, processor', unit: '% of a core', ours: sum(['dashboard'], 'cpu') },
    {
      what: '· all of the parent with its health checks, processor',
      unit: '% of a core',
      ours: [(whole / lasted) * 100],
    },
  ]
}
