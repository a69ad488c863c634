/** What one worker uses, beside its limits. null = no limit, or a figure that could not be read. */
export type WorkerStats = {
  name: string
  project: string
  id: string
  request: string
  /** Cores, on average over the second before. */
  cpu: { cores: number | null; limit: number | null }
  /** Bytes, without what is only cached of files. */
  memory: { bytes: number | null; limit: number | null }
  /** Processes and threads. */
  processes: { current: number | null; limit: number | null }
}

/** The answer to `stats`. `at`: when it was measured, ISO 8601 UTC. */
export type StatsResult = { at: string; workers: WorkerStats[] }
