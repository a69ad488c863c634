/** How far the pull of an image has come. */
export type PullProgress = {
  layers: number
  /** Layers that are on this host whole. */
  done: number
  /** What was received. Bytes. */
  bytes: number
  /** What there is to receive, as far as that is known of all layers; else null. Bytes. */
  total: number | null
}
