import type { Limits } from '../contract/worker.ts'

/** What may be used at once; 0 and null mean no bound. Limits are caps, not reservations, so budgets are opt-in. */
export type Capacity = { maxWorkers: number; memoryBudget: number | null; cpuBudget: number | null }

export type Admission = { admit: true } | { admit: false; because: string; ever: boolean }

/**
 * Whether one more worker fits beside those that run. `ever: false` means that waiting cannot help.
 * A worker without a limit counts as the whole budget: it could use all of it.
 */
export function admit(capacity: Capacity, running: readonly Limits[], wanted: Limits): Admission {
  const { maxWorkers, memoryBudget, cpuBudget } = capacity
  const never =
    above('memory', 'HAL9000_MEMORY_BUDGET', memoryBudget, wanted) ??
    above('cpus', 'HAL9000_CPU_BUDGET', cpuBudget, wanted)
  if (never !== undefined) return never
  if (maxWorkers > 0 && running.length >= maxWorkers) {
    return { admit: false, because: `${running.length} of ${maxWorkers} workers run (HAL9000_MAX_WORKERS)`, ever: true }
  }
  return (
    over('memory', 'HAL9000_MEMORY_BUDGET', memoryBudget, running, wanted) ??
    over('cpus', 'HAL9000_CPU_BUDGET', cpuBudget, running, wanted) ?? { admit: true }
  )
}

type Kind = 'memory' | 'cpus'

function above(kind: Kind, variable: string, budget: number | null, wanted: Limits): Admission | undefined {
  if (!budget || (wanted[kind] ?? budget) <= budget) return undefined
  return { admit: false, because: `its ${kind} limit is above the whole budget (${variable})`, ever: false }
}

function over(
  kind: Kind,
  variable: string,
  budget: number | null,
  running: readonly Limits[],
  wanted: Limits,
): Admission | undefined {
  if (!budget) return undefined
  const share = (limits: Limits): number => limits[kind] ?? budget
  const used = running.reduce((sum, limits) => sum + share(limits), 0)
  // A billionth of a core is the engine's unit; 0.1 + 0.2 is a little more than 0.3.
  if (used + share(wanted) <= budget + 1e-9) return undefined
  return { admit: false, because: `the ${kind} budget is used up (${variable})`, ever: true }
}
