import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProjectPath, RequestId, WorkerName, type InstanceName } from '../../coordinator/contract/names.ts'
import type { Engine } from '../../coordinator/docker/engine.ts'
import { encodeAssignment } from '../../coordinator/domain/assignment.ts'
import { type ContainerSpec, workerContainerSpec } from '../../coordinator/domain/container-spec.ts'
import type { Ended } from '../../coordinator/domain/exit.ts'
import type { SpawnOrder } from '../../coordinator/domain/spawn-order.ts'
import { separate } from '../../coordinator/domain/worker-says.ts'
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

/** What every engine must do: the real one, and the one in memory that simulations use. */
export function engineContract(make: () => Promise<Subject>): void {
  let subject: Subject
  let engine: Engine

  beforeAll(async () => {
    subject = await make()
    engine = subject.engine
  })
  afterAll(() => subject.dispose())

  const orderOf = (command: string[]): SpawnOrder => ({
    ...{ request: RequestId.parse(`r${randomBytes(8).toString('hex')}`), image: subject.image, command },
    name: WorkerName.parse(`c-${randomBytes(4).toString('hex')}`),
    project: { ...subject.project, path: ProjectPath.parse(subject.project.path) },
    ...{ io: 'pipes', remove: true, replace: false, env: {}, secrets: {}, timeout: null, notices: [] },
    limits: { memory: null, cpus: null, pids: null },
    ...{ size: { columns: 80, rows: 24 }, term: 'xterm', receivedAt: 0, waitUntil: 0 },
  })
  const specOf = (order: SpawnOrder): ContainerSpec => workerContainerSpec(subject.instance, order, 'none')
  const created = async (order: SpawnOrder): Promise<Created> => {
    const id = await engine.create(specOf(order))
    if (id === 'taken') throw new Error('the name is taken')
    return id
  }
  /** A worker whose command has been told to it; what it said first. */
  const started = async (command: string[]) => {
    const order = orderOf(command)
    const id = await created(order)
    const line = await engine.connect(id)
    await engine.start(id)
    await line.assign(encodeAssignment(order))
    const said = await line.heard(20_000)
    line.close()
    return { id, said, spec: specOf(order) }
  }
  const endOf = (id: Created): Promise<Ended> => until('the worker has ended', () => engine.ended(id))
  const output = async (id: Created, options: Parameters<Engine['logs']>[1]): Promise<string> => {
    let text = ''
    for await (const { output, data } of engine.logs(id, options)) {
      const own = separate(data).rest.toString()
      if (own !== '') text += `${output}: ${own}`
    }
    return text
  }

  test('the host has cores and memory', async () => {
    const host = await engine.host()
    expect(host.cpus).toBeGreaterThan(0)
    expect(host.memory).toBeGreaterThan(2 ** 28)
    expect(host.dataDirectory).toMatch(/^\//)
  })

  test('an image is there or it is not', async () => {
    expect(await engine.image(subject.image)).toMatchObject({ labels: { 'hal9000.worker-protocol': '1' } })
    expect(await engine.image('hal9000/none:1')).toBeUndefined()
  })

  test('a name is taken once, and found exactly', async () => {
    const order = orderOf(subject.commands.sleep)
    const spec = specOf(order)
    const ids = await Promise.all([1, 2, 3].map(() => engine.create(spec)))
    const [id = 'taken'] = ids.filter((one) => one !== 'taken')
    expect(ids.filter((one) => one === 'taken')).toHaveLength(2)
    if (id === 'taken') throw new Error('nobody took it')
    for (const key of [spec.name, id]) {
      expect(await engine.find(key)).toMatchObject({ id, name: spec.name, state: 'created', labels: spec.labels })
    }
    for (const key of [id.slice(0, 12), spec.name.slice(0, -1), 'no-such-container']) {
      expect([key, await engine.find(key)]).toEqual([key, undefined])
    }
    expect((await engine.containers()).map((one) => one.id)).toContain(id)
    expect(await subject.neighbour.containers()).toEqual([])
    await engine.remove(id)
    expect(await engine.find(id)).toBeUndefined()
  })

  test('a missing image is told as such', async () => {
    const order = { ...orderOf(['true']), image: 'hal9000/none:1' }
    await expect(engine.create(specOf(order))).rejects.toMatchObject({ code: 'image-missing' })
    expect(await engine.find(specOf(order).name)).toBeUndefined()
  })

  test('a worker that is told its command says ready, runs, and is stopped; stopping again is nothing', async () => {
    const { id, said } = await started(subject.commands.sleep)
    expect(said).toEqual({ said: 'ready' })
    expect(await engine.find(id)).toMatchObject({ state: 'running' })
    expect(await engine.ended(id)).toBeUndefined()
    await engine.start(id)
    await engine.stop(id, 5)
    expect(await engine.ended(id)).toMatchObject({ exitCode: 143, oomKilled: false, error: '' })
    await engine.stop(id, 5)
    await engine.remove(id)
    await engine.remove(id)
    await engine.stop(id, 5)
    expect(await engine.ended(id)).toBeUndefined()
  })

  test('a running worker is never removed', async () => {
    const { id } = await started(subject.commands.sleep)
    await expect(engine.remove(id)).rejects.toThrow()
    expect(await engine.find(id)).toMatchObject({ state: 'running' })
    await engine.stop(id, 0)
    await engine.remove(id)
  })

  test('an end has the exit code and its times in order', async () => {
    const { id } = await started(subject.commands.exit(3))
    const { exitCode, startedAt, endedAt } = await endOf(id)
    expect(exitCode).toBe(3)
    expect(Date.parse(endedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''))
    expect(await engine.find(id)).toMatchObject({ state: 'exited' })
    await engine.remove(id)
  })

  test('a command that is not there is refused with its word', async () => {
    const { id, said } = await started(['no-such-command'])
    expect(said).toMatchObject({ said: 'refused', word: 'command-not-found' })
    expect(await endOf(id)).toMatchObject({ exitCode: 127 })
    await engine.remove(id)
  })

  test('a worker whose line is cut before it was told anything ends by itself', async () => {
    const id = await created(orderOf(subject.commands.sleep))
    const line = await engine.connect(id)
    await engine.start(id)
    line.close()
    expect(await endOf(id)).toMatchObject({ exitCode: 125 })
    await engine.remove(id)
  })

  test('output is there, its times rise, and --tail and --since take parts of it', async () => {
    const before = Date.now()
    const { id } = await started(subject.commands.echo('hello'))
    await endOf(id)
    expect(await output(id, { follow: false })).toBe('stdout: hello\n')
    expect(await output(id, { follow: true })).toBe('stdout: hello\n')
    expect(await output(id, { follow: false, tail: 0 })).toBe('')
    expect(await output(id, { follow: false, since: before - 1000 })).toBe('stdout: hello\n')
    expect(await output(id, { follow: false, since: Date.now() + 60_000 })).toBe('')
    await engine.remove(id)
  })

  test('a follower ends when it is told to', async () => {
    const { id } = await started(subject.commands.sleep)
    expect(await output(id, { follow: true, signal: AbortSignal.timeout(100) })).toBe('')
    expect(await output(id, { follow: true, signal: AbortSignal.abort() })).toBe('')
    await engine.stop(id, 0)
    await engine.remove(id)
  })

  test('ends and removals are told as events', async () => {
    const listening = new AbortController()
    const heard: string[] = []
    const listener = (async () => {
      for await (const event of engine.events(listening.signal)) heard.push(`${event.action} ${event.id}`)
    })()
    await until('it is listened', async () => {
      await engine.remove(await created(orderOf(subject.commands.sleep)))
      return heard.length > 0
    })
    const { id } = await started(subject.commands.sleep)
    await engine.stop(id, 0)
    await engine.remove(id)
    const both = [`die ${id}`, `destroy ${id}`]
    await until('both are heard', async () => both.every((event) => heard.includes(event)))
    listening.abort()
    await listener
    for await (const _ of engine.events(AbortSignal.abort())) throw new Error('nobody listens any more')
  })

  test('an engine that is away is told as such by everything', async () => {
    const { away } = subject
    const unreachable = { code: 'engine-unreachable', exitCode: 3 }
    await expect(away.host()).rejects.toMatchObject(unreachable)
    await expect(away.containers()).rejects.toMatchObject(unreachable)
    await expect(away.find('x')).rejects.toMatchObject(unreachable)
    await expect(away.create(specOf(orderOf(['true'])))).rejects.toMatchObject(unreachable)
  })
}

type Created = Exclude<Awaited<ReturnType<Engine['create']>>, 'taken'>
