/**
 * The labels on every container of ours: Docker's labels are the record of what exists (design, section 5.1).
 * Images carry none of them, because a container inherits its image's labels.
 */
export const LABEL = {
  managed: 'hal9000.managed',
  instance: 'hal9000.instance',
  role: 'hal9000.role',
  worker: 'hal9000.worker',
  project: 'hal9000.project',
  request: 'hal9000.request',
  spec: 'hal9000.spec',
  schema: 'hal9000.schema',
} as const

/** Labels of images: the protocol a worker image speaks, the agent it carries (a JSON array of words). */
export const IMAGE_LABEL = { worker: 'hal9000.worker-protocol', agent: 'hal9000.agent' } as const

export type Role = 'parent' | 'net' | 'worker' | 'spare' | 'broker' | 'probe'

/** Version of the label set; a container with a newer one is shown, never acted upon. */
export const LABEL_SCHEMA = '1'
