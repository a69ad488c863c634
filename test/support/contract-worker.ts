import { randomBytes } from 'node:crypto'
import {
  type ContainerId,
  type InstanceName,
  ProjectPath,
  RequestId,
  WorkerName,
} from '../../coordinator/contract/names.ts'
import type { Engine, LogOptions } from '../../coordinator/docker/engine.ts'
import { encodeAssignment } from '../../coordinator/domain/assignment.ts'
import { type ContainerSpec, workerContainerSpec } from '../../coordinator/domain/container-spec.ts'
import type { Ended } from '../../coordinator/domain/exit.ts'
import type { SpawnOrder } from '../../coordinator/domain/spawn-order.ts'
import { type Said, separate } from '../../coordinator/domain/worker-says.ts'
import { until } from './run.ts'

/** An engine to test, and what is there for it. */
export type Subject = {
  engine: Engine
  /** The same engine, seen by another instance. */
  neighbour: Engine
  /** An engine that does not answer. */
  away: Engine
  instance: InstanceName
  image: string
  project: { path: string; uid: number; gid: number; identity: string }
  /** Commands of the image that end with a code, print to stdout, and run until they are stopped. */
  commands: { exit: (code: number) => string[]; echo: (text: string) => string[]; sleep: string[] }
  dispose: () => Promise<void>
}

export function orderFor({ image, project }: Subject, command: string[]): SpawnOrder {
  return {
    request: RequestId.parse(`r${randomBytes(8).toString('hex')}`),
    name: WorkerName.parse(`c-${randomBytes(4).toString('hex')}`),
    project: { ...project, path: ProjectPath.parse(project.path) },
    image,
    command,
    io: 'pipes',
    remove: true,
    replace: false,
    limits: { memory: null, cpus: null, pids: null },
    env: {},
    secrets: {},
    input: null,
    timeout: null,
    onNetworkLoss: 'keep',
    size: { columns: 80, rows: 24 },
    term: 'xterm',
    receivedAt: 0,
    waitUntil: 0,
    notices: [],
  }
}

/** A worker's container without a network: the contract needs none. */
export function specFor(subject: Subject, order: SpawnOrder): ContainerSpec {
  return workerContainerSpec(subject.instance, order, 'none')
}

export async function created(
  subject: Subject,
  order: SpawnOrder,
  change: Partial<ContainerSpec> = {},
): Promise<ContainerId> {
  const id = await subject.engine.create({ ...specFor(subject, order), ...change })
  if (id === 'taken') throw new Error('the name is taken')
  return id
}

/** A worker that was told its command, or a whole order, and what it said first. */
export async function started(
  subject: Subject,
  asked: string[] | SpawnOrder,
): Promise<{ id: ContainerId; said: Said | undefined }> {
  const { engine } = subject
  const order = Array.isArray(asked) ? orderFor(subject, asked) : asked
  const id = await created(subject, order)
  const line = await engine.connect(id)
  await engine.start(id)
  await line.assign(encodeAssignment(order))
  const said = await line.heard(20_000)
  line.close()
  return { id, said }
}

export function endOf(engine: Engine, id: ContainerId): Promise<Ended> {
  return until('the worker has ended', () => engine.ended(id))
}

/** What its command wrote, without what the worker says of itself. */
export async function outputOf(engine: Engine, id: ContainerId, options: LogOptions): Promise<string> {
  let text = ''
  for await (const { output, data } of (await engine.logs(id, options)) ?? []) {
    const own = separate(data).rest.toString()
    if (own !== '') text += `${output}: ${own}`
  }
  return text
}
