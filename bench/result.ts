import { summarise, type Summary } from './statistics.ts'

/** One line of the report: our series, what it is held against, and what must be reached. */
export type Result = {
  what: string
  unit: 'ms' | 'MB' | '% of a core'
  ours: number[]
  against?: { what: string; samples: number[] }
  target?: Target
}

/** `ratio`: our median to the other's. `value`: our 95th percentile. At most `limit`. */
export type Target = { of: 'ratio' | 'value'; limit: number }

/** A result with everything computed that is shown or decided. */
export type Judged = {
  ours: Summary
  against: Summary | undefined
  /** Medians to each other, and 95th percentiles. */
  ratio: { p50: number; p95: number } | undefined
  verdict: 'met' | 'missed' | undefined
}

export function judge({ ours, against, target }: Result): Judged {
  const own = summarise(ours)
  const other = against && summarise(against.samples)
  const ratio = other && { p50: own.p50 / other.p50, p95: own.p95 / other.p95 }
  const value = target?.of === 'ratio' ? ratio?.p50 : own.p95
  // Written so that a missing value, NaN, is a target missed.
  const verdict = target && (value !== undefined && value <= target.limit ? 'met' : 'missed')
  return { ours: own, against: other, ratio, verdict }
}
