import { afterAll, beforeAll, expect, test } from 'vitest'
import { Failure } from '../../coordinator/contract/failure.ts'
import { ContainerId } from '../../coordinator/contract/names.ts'
import type { PullProgress } from '../../coordinator/contract/pull.ts'
import type { Engine } from '../../coordinator/docker/engine.ts'
import { created, endOf, orderFor, outputOf, specFor, started, type Subject } from './contract-worker.ts'
import { until } from './run.ts'

/** And what can be pulled: an image that is there, one that does not come to its end, and one that nobody has. */
export type PullSubject = Subject & { registry: { there: string; endless: string; none: string } }

const still = new AbortController().signal

/** What every engine must do: the real one, and the one in memory that simulations use. */
export function engineContract(make: () => Promise<PullSubject>): void {
  let subject: PullSubject
  let engine: Engine

  beforeAll(async () => {
    subject = await make()
    engine = subject.engine
  })
  afterAll(() => subject.dispose())

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

  test('a pulled image is there, and how far it came was told', async () => {
    const { there } = subject.registry
    const told: PullProgress[] = []
    await engine.pull(there, (progress) => told.push(progress), still)
    await engine.pull(there, () => {}, still)
    expect(await engine.image(there)).toMatchObject({ labels: { 'hal9000.worker-protocol': '1' } })
    const { layers, done, bytes, total } = told.at(-1) ?? {}
    expect(layers).toBeGreaterThan(0)
    expect([done, bytes]).toEqual([layers, total])
  })

  test('what cannot be pulled is told in the words of the engine', async () => {
    await expect(engine.pull(subject.registry.none, () => {}, still)).rejects.toMatchObject({
      code: 'pull-failed',
      message: expect.stringMatching(/^Image ".*" could not be pulled: .*manifest unknown/),
    })
  })

  test('a pull ends by its signal, whenever that comes, and leaves no image', async () => {
    const { endless } = subject.registry
    const failure = new Failure('interrupted', 'Nobody wants it any more.')
    await expect(engine.pull(endless, () => {}, AbortSignal.abort(failure))).rejects.toBe(failure)
    const giveUp = new AbortController()
    await expect(engine.pull(endless, () => giveUp.abort(failure), giveUp.signal)).rejects.toBe(failure)
    expect(await engine.image(endless)).toBeUndefined()
  })

  test('a name is taken once, and found exactly', async () => {
    const spec = specFor(subject, orderFor(subject, subject.commands.sleep))
    const created = await Promise.all([1, 2, 3].map(() => engine.create(spec)))
    const [id, ...others] = created.flatMap((one) => (one === 'taken' ? [] : [one]))
    expect([created.length, others]).toEqual([3, []])
    if (id === undefined) throw new Error('nobody took it')
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
    const order = { ...orderFor(subject, ['true']), image: 'hal9000/none:1' }
    await expect(engine.create(specFor(subject, order))).rejects.toMatchObject({ code: 'image-missing' })
    expect(await engine.find(specFor(subject, order).name)).toBeUndefined()
  })

  test('a worker that is told its command says ready, runs, and is stopped; stopping again is nothing', async () => {
    const { id, said } = await started(subject, subject.commands.sleep)
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

  test('a container tells whose network it joined, and the owner since when it runs', async () => {
    const before = Date.now()
    const { id: owner } = await started(subject, subject.commands.sleep)
    const since = await engine.runningSince(owner)
    expect(since).toBeGreaterThanOrEqual(before - 1000)
    expect(since).toBeLessThanOrEqual(Date.now())
    const spec = { ...specFor(subject, orderFor(subject, subject.commands.sleep)), network: `container:${owner}` }
    const joined = await engine.create(spec)
    expect(await engine.find(spec.name)).toMatchObject({ id: joined, networkOwner: owner })
    const owners = new Map((await engine.containers()).map(({ id, networkOwner }) => [id as string, networkOwner]))
    expect([owners.get(joined), owners.get(owner)]).toEqual([owner, null])
    await engine.stop(owner, 0)
    expect(await engine.runningSince(owner)).toBe('not-running')
    await engine.remove(owner)
    expect(await engine.runningSince(owner)).toBe('gone')
    if (joined !== 'taken') await engine.remove(joined)
  })

  test('a running worker is never removed', async () => {
    const { id } = await started(subject, subject.commands.sleep)
    await expect(engine.remove(id)).rejects.toMatchObject({ code: 'worker-failed' })
    expect(await engine.find(id)).toMatchObject({ state: 'running' })
    await engine.stop(id, 0)
    await engine.remove(id)
  })

  test('an end has the exit code and its times in order', async () => {
    const { id } = await started(subject, subject.commands.exit(3))
    const { exitCode, startedAt, endedAt } = await endOf(engine, id)
    expect(exitCode).toBe(3)
    expect(Date.parse(endedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''))
    expect(await engine.find(id)).toMatchObject({ state: 'exited' })
    await engine.remove(id)
  })

  test('what a running worker uses can be read, and of one that does not run there is nothing', async () => {
    const { id } = await started(subject, subject.commands.sleep)
    const usage = await engine.usage(id)
    expect(usage?.cores).toBeGreaterThanOrEqual(0)
    expect(usage?.cores).toBeLessThan(1)
    expect(usage?.memory).toBeGreaterThan(2 ** 16)
    expect(usage?.pids).toBeGreaterThanOrEqual(1)
    await engine.stop(id, 0)
    expect(await engine.usage(id)).toBeUndefined()
    await engine.remove(id)
    expect(await engine.usage(id)).toBeUndefined()
  })

  test('a worker that goes while it is measured is no failure', async () => {
    const { id } = await started(subject, subject.commands.sleep)
    const measured = engine.usage(id)
    await engine.stop(id, 0)
    await engine.remove(id)
    expect(typeof (await measured)).toMatch(/^(object|undefined)$/)
  })

  test('a command that is not there is refused with its word', async () => {
    const { id, said } = await started(subject, ['no-such-command'])
    expect(said).toMatchObject({ said: 'refused', word: 'command-not-found' })
    expect(await endOf(engine, id)).toMatchObject({ exitCode: 127 })
    await engine.remove(id)
  })

  test('a worker whose line is cut before it was told anything ends by itself', async () => {
    const id = await created(subject, orderFor(subject, subject.commands.sleep))
    const line = await engine.connect(id)
    await engine.start(id)
    line.close()
    expect(await endOf(engine, id)).toMatchObject({ exitCode: 125 })
    await engine.remove(id)
  })

  test('output is there, its times rise, and --tail and --since take parts of it', async () => {
    const before = Date.now()
    const { id } = await started(subject, subject.commands.echo('hello'))
    await endOf(engine, id)
    expect(await outputOf(engine, id, { follow: false })).toBe('stdout: hello\n')
    expect(await outputOf(engine, id, { follow: true })).toBe('stdout: hello\n')
    expect(await outputOf(engine, id, { follow: false, tail: 0 })).toBe('')
    expect(await outputOf(engine, id, { follow: false, since: before - 1000 })).toBe('stdout: hello\n')
    expect(await outputOf(engine, id, { follow: false, since: Date.now() + 60_000 })).toBe('')
    await engine.remove(id)
    expect(await engine.logs(id, { follow: false })).toBeUndefined()
    expect(await engine.logs(id, { follow: true })).toBeUndefined()
  })

  test('a follower ends when it is told to', async () => {
    const { id } = await started(subject, subject.commands.sleep)
    expect(await outputOf(engine, id, { follow: true, signal: AbortSignal.timeout(100) })).toBe('')
    expect(await outputOf(engine, id, { follow: true, signal: AbortSignal.abort() })).toBe('')
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
      await engine.remove(await created(subject, orderFor(subject, subject.commands.sleep)))
      return heard.length > 0
    })
    const { id } = await started(subject, subject.commands.sleep)
    await engine.stop(id, 0)
    await engine.remove(id)
    const both = [`die ${id}`, `destroy ${id}`]
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(expect.arrayContaining(both))
    listening.abort()
    await listener
    for await (const _ of engine.events(AbortSignal.abort())) throw new Error('nobody listens any more')
  })

  test('an engine that is away is told as such by everything', async () => {
    const { away } = subject
    const unreachable = { code: 'engine-unreachable', exitCode: 3 }
    await expect(away.host()).rejects.toMatchObject(unreachable)
    await expect(away.containers()).rejects.toMatchObject(unreachable)
    await expect(away.usage(ContainerId.parse('ab'.repeat(32)))).rejects.toMatchObject(unreachable)
    const { id } = await started(subject, subject.commands.exit(0))
    await expect(away.runningSince(id)).rejects.toMatchObject(unreachable)
    await expect(away.logs(id, { follow: true })).rejects.toMatchObject(unreachable)
    await endOf(engine, id)
    await engine.remove(id)
    await expect(away.pull(subject.registry.there, () => {}, still)).rejects.toMatchObject(unreachable)
    await expect(away.find('x')).rejects.toMatchObject(unreachable)
    await expect(away.create(specFor(subject, orderFor(subject, ['true'])))).rejects.toMatchObject(unreachable)
  })
}
