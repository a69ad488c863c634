import { z } from 'zod'
import type { PullProgress } from '../contract/pull.ts'

/** A line of the engine's progress. Source: Docker Engine API 1.41, "Create an image". */
export const PullLine = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
  error: z.string().optional(),
})
export type PullLine = z.infer<typeof PullLine>

/** What the engine's words mean for a layer. "Retrying in 5 seconds" changes nothing; "Pulling from" is of no layer. */
const STAGES: Partial<Record<string, 'waiting' | 'receiving' | 'received' | 'done'>> = {
  'Pulling fs layer': 'waiting',
  Waiting: 'waiting',
  Downloading: 'receiving',
  'Verifying Checksum': 'received',
  'Download complete': 'received',
  Extracting: 'received',
  'Pull complete': 'done',
  'Already exists': 'done',
}

type Layer = { received: number; total: number | undefined; done: boolean }

/** The layers of an image that is being pulled, by what the engine says of each. */
export class Layers {
  readonly #layers = new Map<string, Layer>()

  hear({ id, status, progressDetail }: PullLine): void {
    const stage = STAGES[status ?? '']
    if (id === undefined || stage === undefined) return
    const before = this.#layers.get(id)
    const { current = 0, total = before?.total } = progressDetail ?? {}
    const received = { waiting: 0, receiving: current, received: total ?? 0, done: total ?? 0 }[stage]
    this.#layers.set(id, { received, total, done: stage === 'done' })
  }

  get progress(): PullProgress {
    const layers = [...this.#layers.values()]
    const known = layers.every(({ total, done }) => done || total !== undefined)
    return {
      layers: layers.length,
      done: layers.filter(({ done }) => done).length,
      bytes: layers.reduce((sum, { received }) => sum + received, 0),
      total: known ? layers.reduce((sum, { total = 0 }) => sum + total, 0) : null,
    }
  }
}
