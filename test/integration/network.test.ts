import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Worker } from '../../coordinator/contract/worker.ts'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { succeed, until } from '../support/run.ts'

let instance: Instance
let project: string
let holder: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  holder = `${instance.name}-net`
})
afterEach(async () => {
  await instance.stopAll()
  // Starts the holder, and restarts the parent that it left behind.
  const up = await instance.hal(['up'], { timeout: 60_000 })
  if (up.code !== 0) throw new Error(`up ended with ${up.code}:\n${up.stderr}`)
})
afterAll(() => instance.down())

const SLEEP = ['--', 'sleep', '1000']
const spawn = async (name: string, ...options: string[]): Promise<Worker> =>
  (await instance.spawn(['-n', name, ...options, project, ...SLEEP])).worker
/** Whether the container has an interface beside the loopback. */
const isConnected = async ({ id }: { id: string }): Promise<boolean> =>
  (await succeed('docker', ['exec', id, 'cat', '/proc/net/route'])).split('\n').length > 1
const conditions = async (): Promise<Record<string, string[]>> =>
  Object.fromEntries((await instance.list()).map(({ name, conditions }) => [name, conditions]))
const kindsOf = async ({ request }: Worker): Promise<string[]> =>
  (await instance.events(request)).map(({ kind }) => kind)

test('a holder that is restarted by hand: workers are told that their network is lost, or stopped', async () => {
  const [keep, stop, asked] = [
    await spawn('keep'),
    await spawn('stop', '--on-network-loss', 'stop'),
    (await instance.spawn(['-n', 'asked', project, ...SLEEP], { env: { WORKER_ON_NETWORK_LOSS: 'stop' } })).worker,
  ]
  expect(await conditions()).toEqual({ keep: [], stop: [], asked: [] })
  await succeed('docker', ['restart', '--time', '1', holder])

  for (const worker of [stop, asked]) {
    expect(await instance.ended(worker.request)).toMatchObject({
      exit: { reason: 'network-lost', exitCode: 143, signal: 'TERM' },
    })
    const kinds = await until('it is told', async () => {
      const told = await kindsOf(worker)
      return told.includes('worker-ended') && told
    })
    expect(kinds).toEqual(['worker-queued', 'worker-ready', 'worker-network-lost', 'worker-stopping', 'worker-ended'])
  }
  expect(await conditions()).toEqual({ keep: ['network-lost'] })
  expect(await isConnected(keep)).toBe(false)
  expect((await instance.exec(['coordinator', 'inspect', 'keep'])).stdout).toMatch(/^condition +network-lost: /m)
  const status = await instance.exec(['coordinator', 'status'])
  expect(status.stdout).toMatch(/^conditions +1 network-lost$/m)
  expect(status.stdout).toMatch(/^network +lost: .*\.\/hal9000 up/m)

  // New ones join the holder that runs.
  const fresh = await spawn('fresh')
  expect(await isConnected(fresh)).toBe(true)

  // A coordinator that comes anew finds the condition, and does not tell it again.
  await signal(instance, 'KILL', (await service(instance, 'coordinator'))?.pid ?? 0)
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0)
  await succeed('docker', ['restart', '--time', '1', holder])
  await until('the second loss is seen', async () => (await conditions())['fresh']?.length === 1)
  expect(await conditions()).toEqual({ keep: ['network-lost'], fresh: ['network-lost'] })
  const told = ['worker-queued', 'worker-ready', 'worker-network-lost']
  expect([await kindsOf(keep), await kindsOf(fresh)]).toEqual([told, told])

  await instance.exec(['coordinator', 'stop', 'keep'])
  expect(await instance.ended('keep')).toMatchObject({
    exit: { reason: 'stopped', message: expect.stringMatching(/^It had lost its network at 2.*Z\.$/) },
  })
}, 120_000)

test('what was asked for is in the label: a coordinator that has lost the record does it too', async () => {
  const worker = await spawn('unknown', '--on-network-loss', 'stop')
  const coordinator = '/run/hal9000/service/coordinator'
  await instance.exec(['s6-svc', '-wD', '-d', coordinator])
  await instance.exec(['rm', `/var/lib/hal9000/sessions/${worker.request}.json`])
  await succeed('docker', ['restart', '--time', '1', holder])
  await instance.exec(['s6-svc', '-u', coordinator])
  expect(await instance.ended(worker.request)).toMatchObject({
    worker: { name: 'unknown', onNetworkLoss: 'stop' },
    exit: { reason: 'network-lost' },
  })
})

test('a worker without a record that was started just after its holder keeps its network, and is not told otherwise', async () => {
  // The engine's list knows the second of a worker's creation only: in that same second the holder may have been started.
  const worker = await until('both are started in one second', async () => {
    await succeed('docker', ['restart', '--time', '1', holder])
    const { id, request } = await spawn(`young-${Date.now()}`, '--on-network-loss', 'stop')
    const times = await succeed('docker', ['inspect', '--format', '{{.State.StartedAt}} {{.Created}}', holder, id])
    const [since = '', , , created = ''] = times.split(/\s/)
    return since.slice(0, 19) === created.slice(0, 19) && { id, request }
  })
  const coordinator = '/run/hal9000/service/coordinator'
  await instance.exec(['s6-svc', '-wD', '-d', coordinator])
  await instance.exec(['rm', `/var/lib/hal9000/sessions/${worker.request}.json`])
  await instance.exec(['s6-svc', '-u', coordinator])
  const adopted = async () => (await instance.events(worker.request)).some(({ kind }) => kind === 'worker-adopted')
  await until('it is adopted', adopted)
  // Whoever records this end has looked at all workers after that.
  await instance.exec(['spawn', project, '--', 'true'])
  expect(await instance.list('--filter', `request=${worker.request}`)).toMatchObject([
    { state: 'running', conditions: [] },
  ])
  expect(await isConnected(worker)).toBe(true)
})

test('without its holder it is not ready, says why, and so does a spawn; workers are told', async () => {
  const worker = await spawn('orphan')
  const message = 'The network holder does not run, so no worker can be started.'
  for (const command of [
    ['stop', '--time', '1'],
    ['rm', '--force'],
  ]) {
    await succeed('docker', [...command, holder])
    const status = await instance.exec(['coordinator', 'status', '--json'])
    expect([status.code, JSON.parse(status.stdout)]).toMatchObject([4, { ready: false, problems: [message] }])
    const refused = await instance.exec(['spawn', '-d', project, ...SLEEP])
    expect(refused).toMatchObject({ code: 125, stdout: '', stderr: `${message}\nNext: ./hal9000 up\n` })
  }
  expect(await conditions()).toEqual({ orphan: ['network-lost'] })
  expect(await kindsOf(worker)).toEqual(['worker-queued', 'worker-ready', 'worker-network-lost'])
})
