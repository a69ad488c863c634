import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { FailureShape } from '../../coordinator/contract/failure.ts'
import type { QueuedRequest } from '../../coordinator/contract/queue.ts'
import type { SpawnResult } from '../../coordinator/contract/worker.ts'
import { signalOwner } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { processes } from '../support/processes.ts'
import { Registry } from '../support/registry.ts'
import { type Output, until } from '../support/run.ts'

const SLEEP = ['--', 'sleep', '300']
/** An image that comes slowly takes a minute. Milliseconds. */
const PATIENCE = 40_000

let instance: Instance
let registry: Registry
let project: string

beforeAll(async () => {
  registry = await Registry.start()
  // Long enough for an engine that unpacks on a busy machine.
  instance = await Instance.up({ HAL9000_PULL_STALL: '15s' })
  project = await instance.project('work')
  // From here on an image is its own layer: those below are here.
  await instance.spawn(['--pull', 'missing', '-i', await registry.publish('first'), project, '--', 'true'])
})
afterEach(() => instance.stopAll())
afterAll(async () => {
  await instance.down()
  await registry.close()
})

const spawn = (image: string, ...words: string[]): Promise<Output> =>
  instance.exec(['spawn', '--detach', '--pull', 'missing', '-i', image, ...words])

async function queue(): Promise<QueuedRequest[]> {
  return (await instance.json<{ requests: QueuedRequest[] }>(['queue'])).requests
}

/** Waits until the queue shows that the worker's image is being pulled. */
function pulling(name: string): Promise<QueuedRequest> {
  const shown = async (): Promise<QueuedRequest | undefined> =>
    (await queue()).find((one) => one.name === name && one.because?.includes(' of '))
  return until(`the image of ${name} is being pulled`, shown, PATIENCE)
}

const messages = async (kind: string): Promise<string[]> =>
  (await instance.events()).filter((event) => event.kind === kind).map(({ message }) => message)

const errorOf = ({ stdout }: Output): FailureShape => (JSON.parse(stdout) as { error: FailureShape }).error

test('an image that is not here is refused, and pulled by whoever says so', async () => {
  const image = await registry.publish('missing')
  const refused = await instance.exec(['spawn', '-d', '-i', image, project, '--', 'true'])
  expect(refused).toMatchObject({
    code: 5,
    stdout: '',
    stderr: `Image "${image}" is not on this host.\nNext: have it pulled with --pull missing, or by docker pull ${image}\n`,
  })
  expect(registry.times('missing')).toBe(0)
  const { worker } = await instance.spawn(['--pull', 'missing', '-i', image, project, '--', 'test', '-s', '/opt/own'])
  expect((await instance.ended(worker.request)).exit).toMatchObject({ reason: 'exited', exitCode: 0 })
  expect(await messages('image-pulled')).toContain(image)
  // By now it is here.
  await instance.spawn(['-i', image, project, '--', 'true'])
  await instance.spawn(['--pull', 'missing', '-i', image, project, '--', 'true'])
  expect(registry.times('missing')).toBe(1)
})

test('--pull always takes the newer image of that name', async () => {
  const image = await registry.publish('moving', 'whole', { 'hal9000.agent': '["echo", "one"]' })
  expect((await instance.spawn(['--pull', 'always', '-i', image, project])).worker.command).toEqual(['echo', 'one'])
  await registry.publish('moving', 'whole', { 'hal9000.agent': '["echo", "two"]' })
  const { worker } = await instance.spawn(['-i', image, project], { env: { WORKER_PULL: 'always' } })
  expect([worker.command, worker.name]).toEqual([['echo', 'two'], expect.stringMatching(/^echo-/)])
})

test('ten that want one image cause one pull, and all run', async () => {
  const image = await registry.publish('shared', 'slowly')
  const names = Array.from({ length: 10 }, (_, index) => `shared-${index}`)
  const all = names.map((name) => spawn(image, '-n', name, project, ...SLEEP))
  const waiting = async (): Promise<boolean> =>
    (await queue()).filter(({ because }) => because?.includes(image)).length === names.length
  await until('all wait for it', waiting, PATIENCE)
  registry.release('shared')
  expect((await Promise.all(all)).map(({ code }) => code)).toEqual(Array(10).fill(0))
  expect((await instance.list()).map(({ name, state }) => `${name} ${state}`).sort()).toEqual(
    names.map((name) => `${name} running`),
  )
  expect(registry.times('shared')).toBe(1)
})

test('what waits for its image is seen, and holds up nobody, not even on its name', async () => {
  const image = await registry.publish('slow', 'slowly')
  const slow = Array.from({ length: 5 }, (_, index) => spawn(image, '-n', `slow-${index}`, project, ...SLEEP))
  for (let index = 0; index < 5; index += 1) await pulling(`slow-${index}`)
  expect(await pulling('slow-0')).toMatchObject({ position: null, waitUntil: null, state: 'queued' })
  expect((await pulling('slow-0')).because).toContain(`pulling ${image}: `)
  expect(await instance.list()).toHaveLength(5)
  expect(await instance.workerContainers()).toEqual([])
  // More of them than the processor has hands.
  const other = await instance.spawn(['-n', 'slow-0', project, ...SLEEP])
  expect(other.worker).toMatchObject({ name: 'slow-0', state: 'running' })
  registry.release('slow')
  const ends = await Promise.all(slow)
  expect(ends.map(({ code }) => code)).toEqual([6, 0, 0, 0, 0])
})

test('a waiting client hears how far it is, on stderr, and a program hears nothing', async () => {
  const image = await registry.publish('told', 'slowly')
  const words = ['spawn', '-d', '--pull', 'missing', '-i', image, '-n', 'person', project, ...SLEEP]
  const person = instance.background(words)
  const program = spawn(image, '-n', 'program', '--json', project, ...SLEEP)
  await pulling('program')
  await person.said(new RegExp(`^pulling ${image}: \\d.*, \\d+ of \\d+ layers$`, 'm'))
  registry.release('told')
  await person.printed('person\n')
  const { code, stdout, stderr } = await program
  expect([code, stderr]).toEqual([0, ''])
  expect((JSON.parse(stdout) as SpawnResult).worker.name).toBe('program')
})

test('--no-wait is answered once the image is there', async () => {
  const image = await registry.publish('unwaited', 'slowly')
  const queued = spawn(image, '--no-wait', '-n', 'unwaited', project, ...SLEEP)
  const { request } = await pulling('unwaited')
  registry.release('unwaited')
  expect((await queued).stdout).toBe(`${request}\n`)
  await until('it runs', async () => (await instance.list()).some(({ state }) => state === 'running'))
})

test('it is taken back by its name; whoever waits is told; and the engine pulls no more', async () => {
  const image = await registry.publish('cancelled', 'slowly')
  const waiting = spawn(image, '-n', 'cancelled', '--json', project, ...SLEEP)
  const { request } = await pulling('cancelled')
  const waits = instance.exec(['coordinator', 'wait', 'cancelled', '--json'])
  await until('somebody waits', async () => {
    const waiter = (await processes(instance)).find(({ command }) => command.includes(' wait '))
    // Not before it is connected: whoever comes later finds nothing.
    const files = await instance.exec(['ls', '-l', `/proc/${waiter?.pid}/fd`])
    return files.stdout.includes('socket:')
  })
  expect(await instance.exec(['coordinator', 'queue', 'cancel', 'cancelled'])).toMatchObject({ code: 0 })
  expect(errorOf(await waiting)).toMatchObject({ code: 'interrupted', exitCode: 130 })
  expect(errorOf(await waits)).toMatchObject({ code: 'interrupted' })
  expect(await queue()).toEqual([])
  expect((await instance.events(request)).map(({ kind, message }) => `${kind} ${message}`)).toEqual([
    'worker-ended cancelled: its request was taken back',
  ])
  await until('it was given up', async () =>
    (await messages('image-pull-failed')).includes(`${image}: nobody waits for it any more`),
  )
  await gone('cancelled')
})

test('it ends with the client that waits for it, and goes on while there is another', async () => {
  const image = await registry.publish('left', 'slowly')
  const words = (name: string): string[] => [
    'spawn',
    '-d',
    '--pull',
    'missing',
    '-i',
    image,
    '-n',
    name,
    project,
    ...SLEEP,
  ]
  const [first, second] = [instance.background(words('first')), instance.background(words('second'))]
  await Promise.all([pulling('first'), pulling('second')])
  first.kill('SIGINT')
  await until('the first is gone', async () => (await queue()).every(({ name }) => name === 'second'))
  await pulling('second')
  second.kill('SIGTERM')
  await until('the second is gone', async () => (await queue()).length === 0)
  await gone('left')
  expect(await instance.list()).toEqual([])
})

/** The engine has let go of the registry: it asks again when it is asked again, and gets the whole. */
async function gone(image: string): Promise<void> {
  const before = registry.times(image)
  await until('the engine has closed its connection', async () => registry.open(image) === 0)
  registry.release(image)
  expect(await spawn(registry.reference(image), project, '--', 'true')).toMatchObject({ code: 0 })
  expect(registry.times(image)).toBe(before + 1)
}

test('a connection that is cut is made again, by the engine itself', async () => {
  const image = await registry.publish('cut', 'cut')
  expect(await spawn(image, project, '--', 'true')).toMatchObject({ code: 0 })
  expect(registry.times('cut')).toBe(2)
})

test.each([
  ['nobody has', () => registry.reference('none'), /could not be pulled: .*manifest unknown/],
  ['needs a login', () => registry.reference('denied'), /could not be pulled: .*unauthorized/],
  ['is in a registry that is away', () => '127.0.0.1:1/x:1', /could not be pulled: .*connection refused/],
])('an image that %s is an answer at once, with the words of the engine', async (_what, image, words) => {
  const refused = await spawn(image(), '--json', project, '--', 'true')
  const hint = `try it on the host, where logins are known: docker pull ${image()}`
  expect(errorOf(refused)).toMatchObject({ code: 'pull-failed', exitCode: 5, hint })
  expect(errorOf(refused).message).toMatch(words)
  expect([refused.code, refused.stderr]).toEqual([5, ''])
  expect(refused.ms).toBeLessThan(10_000)
  expect(await queue()).toEqual([])
})

test('a pull that stands still fails in its time', async () => {
  const image = await registry.publish('stalled', 'half')
  const refused = await spawn(image, '--json', project, '--', 'true')
  expect(errorOf(refused)).toMatchObject({
    code: 'pull-failed',
    message: `Image "${image}" could not be pulled: nothing came for 15 s (HAL9000_PULL_STALL).`,
  })
  expect(refused.ms).toBeLessThan(40_000)
})

test('an image that is no worker is refused once it is here', async () => {
  const image = await registry.publish('other', 'whole', { 'hal9000.worker-protocol': '0' })
  expect(errorOf(await spawn(image, '--json', project, '--', 'true'))).toMatchObject({ code: 'invalid-value' })
})

test('a repository decides neither that an image is fetched nor what is', async () => {
  const cloned = await instance.project('cloned')
  const image = await registry.publish('named')
  const file = (settings: object): Promise<void> => writeFile(join(cloned, 'hal9000.json'), JSON.stringify(settings))
  const options = { env: { WORKER_PULL: 'missing' } }
  await file({ image, pull: 'missing' })
  const decided = await instance.exec(['spawn', '-d', '--json', cloned, '--', 'true'], options)
  expect(errorOf(decided)).toMatchObject({
    code: 'invalid-value',
    message: `${cloned}/hal9000.json: pull: a project may not decide that an image is fetched.`,
  })
  await file({ image })
  const named = await instance.exec(['spawn', '-d', '--json', cloned, '--', 'true'], options)
  expect(errorOf(named)).toMatchObject({ code: 'image-missing' })
  expect(registry.times('named')).toBe(0)
  await instance.spawn(['--pull', 'missing', cloned, '--', 'true'])
  expect(registry.times('named')).toBe(1)
})

test('images of ours are not pulled, whoever asks for it', async () => {
  const refused = await spawn('hal9000/none:1', '--json', project, '--', 'true')
  expect(errorOf(refused)).toMatchObject({ code: 'image-missing', hint: './hal9000 build' })
})

test('a coordinator that is killed over it: its successor pulls again, and the client gets its worker, once', async () => {
  const image = await registry.publish('killed', 'slowly')
  const waiting = spawn(image, '-n', 'killed', project, ...SLEEP)
  const { request } = await pulling('killed')
  await signalOwner(instance, 'KILL')
  await until('its successor pulls', async () => registry.times('killed') > 1, PATIENCE)
  expect(await pulling('killed')).toMatchObject({ request })
  registry.release('killed')
  expect(await waiting).toMatchObject({ code: 0, stdout: 'killed\n' })
  expect((await instance.list()).map((worker) => worker.request)).toEqual([request])
  expect(await instance.workerContainers()).toHaveLength(1)
})
