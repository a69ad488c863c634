import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Owner } from '../../coordinator/contract/owner.ts'
import {
  bystander,
  daemons,
  daemonStatus,
  HOME,
  isAlive,
  parentLog,
  SERVICE,
  signalOwner,
  untilHealthy,
} from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { processes, service, signal } from '../support/processes.ts'
import { succeed, until } from '../support/run.ts'
import { shown } from '../support/traces.ts'

let instance: Instance
let worker: string
let before: Owner

beforeAll(async () => {
  instance = await Instance.up()
  const project = await instance.project('work')
  worker = (await instance.spawn(['-n', 'stays', project, '--', 'sleep', '1000'])).worker.id
})
beforeAll(async () => {
  before = await untilHealthy(instance)
})
afterEach(async () => {
  // Whatever it was: exactly one is there again, and the worker never noticed.
  await daemon('start')
  before = await untilHealthy(instance)
  const [running, workers, state] = await Promise.all([
    daemons(instance),
    instance.list(),
    shown(worker, '{{.State.Status}}'),
  ])
  const seen = { daemons: running.map(({ pid }) => pid), workers: workers.map((one) => one.id), state }
  const wanted = { daemons: [before.pid], workers: [worker], state: 'running' }
  if (!isDeepStrictEqual(seen, wanted)) throw new Error(`it is not as it was: ${JSON.stringify(seen)}`)
})
afterAll(() => instance.down())

const daemon = (...words: string[]) => instance.exec(['coordinator', 'daemon', ...words])
const inside = (script: string) => succeed('docker', ['exec', instance.parent, 'sh', '-c', script])

test('start of one that is healthy answers with its owner, and changes nothing', async () => {
  const { code, stdout } = await daemon('start', '--json')
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { state: 'healthy', owner: before, instance: instance.name }])
  expect(await service(instance, 'coordinator')).toMatchObject({ pid: before.pid })
})

test('status --json says who, and what the default of the option was made from', async () => {
  const { code, stdout } = await daemon('status', '--json')
  expect([code, JSON.parse(stdout)]).toMatchObject([
    0,
    {
      state: 'healthy',
      owner: { ...before, version: expect.any(String) },
      problems: [],
      lock: 'held',
      supervisor: { up: true, wanted: true, held: false, pid: before.pid },
      enforceSingleDaemonProcess: {
        enforced: true,
        container: {
          container: true,
          threshold: 3,
          evidence: expect.arrayContaining([{ indicator: '/.dockerenv', score: 3 }]),
        },
      },
    },
  ])
})

test('stop keeps it down, under a new supervisor too, until start; whoever wants it is told so', async () => {
  expect(await daemon('stop')).toMatchObject({ code: 0 })
  expect(await daemons(instance)).toEqual([])
  const supervisors = (await processes(instance)).filter(({ command }) => command === 's6-supervise coordinator')
  expect(supervisors).toHaveLength(1)
  await signal(instance, 'KILL', supervisors[0]?.pid ?? 0)
  await until('it is supervised again', async () =>
    (await processes(instance)).some(
      ({ command, pid }) => command === 's6-supervise coordinator' && pid !== supervisors[0]?.pid,
    ),
  )
  expect(await daemonStatus(instance)).toMatchObject({ state: 'absent', owner: null, lock: 'free' })
  expect((await daemon('status')).code).toBe(4)

  const listed = await instance.exec(['coordinator', 'list', '--json'])
  expect([listed.code, JSON.parse(listed.stdout)]).toMatchObject([
    4,
    { error: { code: 'not-ready', hint: 'coordinator daemon start' } },
  ])
  expect(listed.ms).toBeLessThan(5_000)
  expect(await shown(worker, '{{.State.Status}}')).toBe('running')
  const log = await daemon('logs', '--tail', '200')
  expect(log).toMatchObject({ code: 0, stdout: expect.stringContaining('"msg":"stopped"') })

  const again = await daemon('stop')
  expect(again).toMatchObject({ code: 0, stderr: 'The coordinator was not running.\n' })
  const started = JSON.parse((await daemon('start', '--json')).stdout) as { owner: Owner }
  expect(started.owner.epoch).toBeGreaterThan(before.epoch)
})

test('logs without an engine is exit 3', async () => {
  const { code, stdout } = await instance.exec(['coordinator', 'daemon', 'logs', '--json'], {
    env: { HAL9000_DOCKER_SOCKET: '/nowhere' },
  })
  expect([code, JSON.parse(stdout)]).toMatchObject([3, { error: { code: 'engine-unreachable' } }])
})

test('./hal9000 up brings back what was stopped', async () => {
  await daemon('stop')
  expect(await instance.hal(['up'])).toMatchObject({ code: 0 })
  await untilHealthy(instance)
})

test('restart is another owner of a greater epoch', async () => {
  const { code, stdout } = await daemon('restart', '--json')
  const { owner } = JSON.parse(stdout) as { owner: Owner }
  expect(code).toBe(0)
  expect(owner.epoch).toBeGreaterThan(before.epoch)
  expect(owner.pid).not.toBe(before.pid)
})

describe('a holder that is stopped by a signal', () => {
  let other: number
  beforeAll(async () => {
    other = await bystander(instance, ['sleep', '2345'])
  })

  test('is told as wedged within 10 s; without --force it is asked and left, with it ended', async () => {
    await signal(instance, 'STOP', before.pid)
    const status = await daemon('status', '--json')
    expect([status.code, JSON.parse(status.stdout)]).toMatchObject([10, { state: 'wedged', owner: before }])
    expect(status.ms).toBeLessThan(10_000)

    for (const verb of ['start', 'restart', 'stop']) {
      const refused = await daemon(verb, '--json')
      expect([verb, refused.code, JSON.parse(refused.stdout)]).toMatchObject([
        verb,
        10,
        { error: { code: 'instance-locked', hint: expect.stringContaining('--force') } },
      ])
      expect(refused.ms).toBeLessThan(10_000)
    }
    expect(await isAlive(instance, before.pid)).toBe(true)

    const restarted = await daemon('restart', '--force', '--json')
    expect([restarted.code, JSON.parse(restarted.stdout)]).toMatchObject([0, { state: 'healthy' }])
    expect(await isAlive(instance, before.pid)).toBe(false)
    expect(await isAlive(instance, other)).toBe(true)
  })

  test('is ended by stop --force, and nobody comes after it', async () => {
    await signal(instance, 'STOP', before.pid)
    expect(await daemon('stop', '--force')).toMatchObject({ code: 0 })
    expect(await daemons(instance)).toEqual([])
    expect(await daemonStatus(instance)).toMatchObject({ state: 'absent' })
  })

  test('is not ended by a record that names somebody else, who is not touched either', async () => {
    const record = JSON.parse(await inside(`cat ${HOME}/coordinator.json`)) as Owner
    const stat = await inside(`cat /proc/${other}/stat`)
    const forged = { ...record, pid: other, startTime: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) }
    const put = (text: string) =>
      succeed('docker', ['exec', '-i', instance.parent, 'sh', '-c', `cat >${HOME}/coordinator.json`], { input: text })
    await signal(instance, 'STOP', before.pid)
    for (const text of [JSON.stringify(forged), '-1', 'x'.repeat(10_000_000)]) {
      await put(text)
      expect(await daemon('restart', '--force')).toMatchObject({ code: 10 })
      expect([await isAlive(instance, other), await isAlive(instance, before.pid)]).toEqual([true, true])
    }
    await put(JSON.stringify(record))
    expect(await daemon('restart', '--force')).toMatchObject({ code: 0 })
    expect(await isAlive(instance, other)).toBe(true)
  }, 120_000)
})

test('what a killed one leaves is stale, and start goes over it', async () => {
  await inside(`s6-svc -Q ${SERVICE}`)
  await signalOwner(instance, 'KILL')
  await until('it is down', async () => (await service(instance, 'coordinator')) === undefined)
  expect(await daemonStatus(instance)).toMatchObject({ state: 'stale', lock: 'free', owner: before })
  expect((await daemon('status')).code).toBe(4)
})

describe('a lock that somebody else holds', () => {
  test('is foreign, also for --force: nobody is ended, and start says why', async () => {
    await daemon('stop')
    const holder = await bystander(instance, ['flock', '-F', `${HOME}/coordinator.lock`, 'sleep', '3456'])
    const status = await daemon('status', '--json')
    expect([status.code, JSON.parse(status.stdout)]).toMatchObject([10, { state: 'foreign', owner: null }])
    for (const words of [['start'], ['stop', '--force'], ['restart', '--force']]) {
      const refused = await daemon(...words, '--json')
      expect([words, refused.code]).toEqual([words, 10])
      expect(refused.ms).toBeLessThan(15_000)
    }
    expect(await parentLog(instance)).toContain('the lock of this state directory is held; waiting: somebody holds')
    expect(await isAlive(instance, holder)).toBe(true)
    await signal(instance, 'KILL', holder)
  }, 120_000)

  test('is foreign for another container on the same state', async () => {
    const image = await shown(instance.parent, '{{.Config.Image}}')
    const state = ['-v', `${instance.name}-state:${HOME}`, '-e', `HAL9000_NAME=${instance.name}`]
    const look = ['run', '--rm', ...state, '--entrypoint', 'sh', image, '-c', 'coordinator daemon status --json; true']
    expect(JSON.parse(await succeed('docker', look))).toMatchObject({
      state: 'foreign',
      because: `process ${before.pid} of another container, or of another boot, is recorded as holder`,
    })
  })
})
