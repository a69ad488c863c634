/** What is shown of a series: its length, median and 95th percentile. */
export type Summary = { n: number; p50: number; p95: number }

export function summarise(samples: readonly number[]): Summary {
  return { n: samples.length, p50: percentile(samples, 0.5), p95: percentile(samples, 0.95) }
}

/** Linear between the two nearest ranks, as spreadsheets and NumPy have it; NaN of nothing. */
function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const rank = (sorted.length - 1) * share
  const below = sorted[Math.floor(rank)] ?? Number.NaN
  const above = sorted[Math.ceil(rank)] ?? Number.NaN
  return below + (above - below) * (rank - Math.floor(rank))
}
