import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { LABEL, LABEL_SCHEMA, type Role } from '../contract/labels.ts'
import type { ContainerId, InstanceName } from '../contract/names.ts'
import type { Engine } from '../docker/engine.ts'
import type { Found } from './directory.ts'

/** Where the probe sees the host's file system. */
export const HOST_ROOT = '/host'

/** Longest a look may take. Milliseconds. */
const DEADLINE = 15_000
const STEP = 20

const FoundShape: z.ZodType<Found> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('directory'),
    path: z.string(),
    uid: z.number(),
    gid: z.number(),
    identity: z.string(),
    projectFile: z.union([z.object({ text: z.string() }), z.object({ unusable: z.string() })]).nullable(),
  }),
  z.object({ type: z.literal('other'), path: z.string() }),
  z.object({ type: z.literal('missing') }),
])

/**
 * Looks at a host path from a short-lived container with the host's `/` read-only and no network: a parent without project
 * roots cannot see the host itself. `image` is the parent's own. Fails with `worker-failed` when the look does not come to an end.
 */
export async function probe(engine: Engine, instance: InstanceName, image: string, path: string): Promise<Found> {
  const id = await engine.create({
    name: `${instance}-probe-${randomBytes(4).toString('hex')}`,
    image,
    labels: {
      [LABEL.managed]: 'true',
      [LABEL.instance]: instance,
      [LABEL.role]: 'probe' satisfies Role,
      [LABEL.schema]: LABEL_SCHEMA,
    },
    limits: { memory: 128 * 2 ** 20, cpus: 1, pids: 32 },
    network: 'none',
    mounts: [{ source: '/', target: HOST_ROOT, readOnly: true }],
    memoryMounts: [],
    // To look below directories that only their owner may read.
    capabilities: ['DAC_READ_SEARCH'],
    entrypoint: ['/usr/local/bin/node', '/usr/lib/hal9000/probe.cjs'],
    command: [path],
    stdin: false,
  })
  if (id === 'taken') throw new Failure('unexpected', 'Two probes chose the same name; try again.')
  try {
    await engine.start(id)
    return await answerOf(engine, id, path)
  } finally {
    await engine.stop(id, 0)
    await engine.remove(id)
  }
}

async function answerOf(engine: Engine, id: ContainerId, path: string): Promise<Found> {
  for (const deadline = Date.now() + DEADLINE; Date.now() < deadline;) {
    const ended = await engine.ended(id)
    if (ended === undefined) {
      await new Promise((resolve) => setTimeout(resolve, STEP))
      continue
    }
    const output: Buffer[] = []
    const log = (await engine.logs(id, { follow: false })) ?? []
    for await (const entry of log) if (entry.output === 'stdout') output.push(entry.data)
    const found = ended.exitCode === 0 ? FoundShape.safeParse(parsed(Buffer.concat(output).toString())) : undefined
    if (found?.success) return found.data
    break
  }
  throw new Failure('worker-failed', `The host path ${path} could not be looked at.`, {
    hint: './hal9000 up --projects DIR, which makes looking unnecessary',
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
