/** One timed round of one side: does its work, cleans up after it, gives the milliseconds that count. */
export type Side = () => Promise<number>

/** How many rounds are thrown away, and how many count. */
export type Rounds = { warmUp: number; count: number }

/**
 * Times two sides in turn, so that noise hits both alike; who goes first changes from pair to pair. The series are in
 * the order of the pairs.
 */
export async function pairs(rounds: Rounds, ours: Side, against: Side): Promise<{ ours: number[]; against: number[] }> {
  const series: { ours: number[]; against: number[] } = { ours: [], against: [] }
  for (let round = -rounds.warmUp; round < rounds.count; round += 1) {
    const oursFirst = round % 2 === 0
    let own = oursFirst ? await ours() : Number.NaN
    const other = await against()
    if (!oursFirst) own = await ours()
    if (round < 0) continue
    series.ours.push(own)
    series.against.push(other)
  }
  return series
}

/** One side alone. */
export async function alone(rounds: Rounds, side: Side): Promise<number[]> {
  const series: number[] = []
  for (let round = -rounds.warmUp; round < rounds.count; round += 1) {
    const ms = await side()
    if (round >= 0) series.push(ms)
  }
  return series
}
