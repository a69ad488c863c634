/** One step that the reconcile loop would take: what, with which worker (`id`: its container's, or empty), and why. */
export type PlannedStep = {
  do: string
  name: string
  project: string
  id: string
  because: string
  /** All of that as one line. */
  text: string
}

/** The answer to `reconcile --dry-run`. */
export type ReconcilePlan = { steps: PlannedStep[] }
