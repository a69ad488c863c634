import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { QueuedRequest, QueueResult } from '../../coordinator/contract/queue.ts'
import type { Status, Worker } from '../../coordinator/contract/worker.ts'
import { control } from '../support/control.ts'
import { daemons } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { type Output, succeed, until } from '../support/run.ts'
import { ENDS, type Fault, FaultyEngine, inTurn, SILENCES } from './faulty-engine.ts'

/** A call to the engine ends within 10 s; the rest is a busy machine's. Milliseconds. */
const DEADLINE = 18_000
/** A look that hangs is given up after 10 s, the next one comes within 5 s. Milliseconds. */
const BACK = 40_000
const LONG = Boolean(process.env['HAL9000_LONG'])

let engine: FaultyEngine
let instance: Instance
let project: string

beforeAll(async () => {
  engine = await FaultyEngine.start()
  instance = await Instance.up({ HAL9000_DOCKER_SOCKET: engine.socket })
  project = await instance.project('work')
})
afterEach(async () => {
  await recovered()
  await instance.stopAll()
})
afterAll(async () => {
  engine.recover()
  await instance.down()
  await engine[Symbol.asyncDispose]()
})

const coordinator = (...words: string[]): Promise<Output> => instance.exec(['coordinator', ...words])

async function sleeper(name: string): Promise<Worker> {
  return (await instance.spawn(['-n', name, project, '--', 'sleep', '1000'])).worker
}

/** Every command that needs the engine, while `w` runs. */
const commands = (): string[][] => [
  ['coordinator', 'list'],
  ['coordinator', 'list', '--all', '--json'],
  ['coordinator', 'inspect', 'w'],
  ['coordinator', 'stop', 'w'],
  ['coordinator', 'logs', 'w'],
  ['coordinator', 'exec', 'w', '--', 'true'],
  ['coordinator', 'rm', 'w'],
  ['coordinator', 'stats'],
  ['coordinator', 'wait', 'w'],
  ['spawn', '-d', project, '--', 'true'],
]

/** What a command says that ends with exit code 3, as it should; else all of it. */
function inTime({ code, stdout, stderr, ms }: Output): string | Output {
  const said = stdout.startsWith('{') ? JSON.parse(stdout).error?.code === 'engine-unreachable' : stdout === ''
  return code === 3 && said && ms < DEADLINE ? 'exit 3' : ({ code, stdout, stderr, ms } as Output)
}

async function status(): Promise<Status & { code: number | null }> {
  const { code, stdout } = await coordinator('status', '--json')
  return { ...(JSON.parse(stdout) as Status), code }
}

/** The coordinator's open sockets. */
async function sockets(): Promise<number> {
  const [daemon] = await daemons(instance)
  const count = `ls -l /proc/${daemon?.pid}/fd | grep -c socket:`
  return Number(await succeed('docker', ['exec', instance.parent, 'sh', '-c', count]))
}

/** How often the engine was lost. */
async function losses(): Promise<number> {
  return (await instance.events()).filter(({ kind }) => kind === 'engine-lost').length
}

/** How long after its end the worker's end was told. Milliseconds. */
async function lag(request: string): Promise<number> {
  const { exit } = await instance.ended(request)
  const told = (await instance.events(request)).find(({ kind }) => kind === 'worker-ended')
  return Date.parse(told?.at ?? '') - Date.parse(exit?.endedAt ?? '')
}

/** Is well again by itself, and hears of ends as they come. */
async function recovered(): Promise<void> {
  engine.recover()
  await until('it is ready again', async () => (await status()).state === 'ready', BACK)
  await until('it listens again', async () => engine.listeners(/GET .*\/events/) === 1, BACK)
}

const MODES: [string, Fault][] = LONG
  ? Object.entries({ ...SILENCES, ...ENDS })
  : [
      ['is silent, each time in another place', inTurn(Object.values(SILENCES))],
      ['ends too early, each time in another place', inTurn(Object.values(ENDS))],
    ]

test.each(MODES)(
  'an engine that %s: every command says so in time, and all is well once it answers',
  async (_how, fault) => {
    // It follows the output, and then waits for the end.
    const foreground = ['spawn', '--foreground', '-n', 'w', project, '--', 'sleep', '1000']
    const waiting = instance.exec(foreground, { timeout: 180_000 })
    await until('its output is followed', async () => engine.listeners(/GET .*logs/) === 1)
    const before = await sockets()
    const lost = await losses()
    engine.fail(fault)
    const announced = control(instance, 'POST', '/v1/workers/w/attach', {
      id: 'a0123456789',
      enter: 'session',
      terminal: { columns: 80, rows: 24, term: 'xterm' },
    })
    const asked = status()
    const outputs = await Promise.all(commands().map((words) => instance.exec(words)))
    expect(outputs.map(inTime)).toEqual(outputs.map(() => 'exit 3'))
    expect(await announced).toMatchObject({ status: 502, body: { error: { code: 'engine-unreachable' } } })
    // Nobody knows how many workers there are: that is not none.
    expect(await asked).toMatchObject({ code: 4, state: 'degraded', ready: false, workers: null, engine: null })
    await until('it is lost to the reconcile loop too', async () => (await losses()) > lost, BACK)

    await recovered()
    const [w] = await instance.list()
    expect(w).toMatchObject({ name: 'w', state: 'running' })
    await succeed('docker', ['kill', w?.id ?? ''])
    const late = await lag(w?.request ?? '')
    expect([(await waiting).code, late < 3_000]).toEqual([137, true])
    const after = await sockets()
    process.stderr.write(`${before} sockets before, ${after} after; an end was told after ${late} ms\n`)
    // Up to eight wait to be used again.
    expect(after).toBeLessThan(before + 12)
  },
  180_000,
)

test('an engine that hangs in one call only: that one ends in time', async () => {
  await Promise.all(['w', 'stopped'].map(sleeper))
  engine.fail(SILENCES['stops after its headers'] as Fault, /POST .*(create|stop|exec.*start)|GET .*(logs|stats)\b/)
  const outputs = await Promise.all(
    [
      ['coordinator', 'logs', 'w'],
      ['coordinator', 'exec', 'w', '--', 'true'],
      ['coordinator', 'stats', 'w'],
      ['coordinator', 'stop', '--time', '0', 'stopped'],
      ['spawn', '--wait', '1s', '-d', project, '--', 'true'],
    ].map((words) => instance.exec(words)),
  )
  process.stderr.write(`in one call: ${outputs.map(({ ms }) => Math.round(ms / 1000)).join(' ')} s\n`)
  // What changes something may take 30 s.
  expect(outputs.map((output) => inTime({ ...output, ms: output.ms - 22_000 }))).toEqual(outputs.map(() => 'exit 3'))
  await recovered()
  expect(await coordinator('stop', 'w', 'stopped')).toMatchObject({ code: 0 })
  expect((await instance.list()).length).toBe(0)
}, 180_000)

test('a slow engine is no trouble', async () => {
  const before = await losses()
  engine.late = 2_000
  await sleeper('w')
  expect(await status()).toMatchObject({ code: 0, state: 'ready', workers: { running: 1 } })
  const outputs = await Promise.all([
    coordinator('list'),
    coordinator('logs', 'w'),
    coordinator('exec', 'w', '--', 'true'),
    coordinator('stats'),
    coordinator('ready'),
  ])
  expect(outputs.map(({ code, stderr }) => [code, stderr])).toEqual(outputs.map(() => [0, '']))
  expect((await coordinator('stop', 'w')).code).toBe(0)
  expect(await losses()).toBe(before)
}, 180_000)

test('acknowledged requests wait for the engine: one is taken back, one is too late, one runs once', async () => {
  const hangsUp = ENDS['hangs up at once'] as Fault
  const queued = (name: string, wait: string): Promise<Output> =>
    instance.exec([
      'spawn',
      '--no-wait',
      '--wait',
      wait,
      '-n',
      name,
      project,
      '--',
      'sh',
      '-c',
      `echo ${name} >>ledger`,
    ])
  // They are taken in while the engine answers everything else.
  engine.fail(hangsUp, /POST .*create/)
  for (const name of ['kept', 'taken-back']) expect((await queued(name, '10m')).code).toBe(0)
  const late = instance.exec(['spawn', '--wait', '8s', '-n', 'late', project, '--', 'sh', '-c', 'echo late >>ledger'])
  const line = async (): Promise<QueuedRequest[]> => (await instance.json<QueueResult>(['queue'])).requests
  await until('all have come', async () => (await line()).length === 3)
  engine.fail(hangsUp)
  await until('all wait', async () =>
    (await line()).every(({ because }) => because === 'the Docker engine does not answer'),
  )
  expect((await line()).map(({ name, state }) => [name, state])).toEqual(
    ['kept', 'taken-back', 'late'].map((name) => [name, 'queued']),
  )
  expect(await coordinator('queue', 'cancel', 'taken-back')).toMatchObject({ code: 0 })
  expect(await late).toMatchObject({
    code: 3,
    stdout: '',
    stderr: expect.stringMatching(/did not answer while worker "late" could wait/),
  })
  expect((await line()).map(({ name }) => name)).toEqual(['kept'])
  await recovered()
  await instance.ended('kept')
  await until('none waits', async () => (await line()).length === 0)
  expect(await readFile(join(project, 'ledger'), 'utf8')).toBe('kept\n')
  expect(await instance.workerContainers()).toEqual([])
}, 180_000)
