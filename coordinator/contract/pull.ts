import { formatSize } from './units.ts'

/** When an image is fetched from its registry: never; when it is not on this host; at every spawn. */
export const PULL_POLICIES = ['never', 'missing', 'always'] as const
export type PullPolicy = (typeof PULL_POLICIES)[number]

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

/** An image that is being pulled. */
export type Pull = PullProgress & { image: string }

/** The answer to "does this request wait for its image?"; null = no. */
export type PullResult = { pull: Pull | null }

/** "pulling ghcr.io/me/worker:1: 12 MiB of 45 MiB, 3 of 7 layers" */
export function pullWords({ image, layers, done, bytes, total }: Pull): string {
  if (layers === 0) return `pulling ${image}`
  const size = total === null ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(total)}`
  return `pulling ${image}: ${size}, ${done} of ${layers} ${layers === 1 ? 'layer' : 'layers'}`
}
