import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ExitRecord } from '../../coordinator/contract/worker.ts'
import { controlAll } from '../support/control.ts'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

const sh = (script: string): string[] => ['--', 'sh', '-c', script]

const ENDS: [what: string, options: string[], command: string[], end: Partial<ExitRecord>][] = [
  ['exit 0', [], sh('exit 0'), { reason: 'exited', exitCode: 0, signal: null, oomKilled: false }],
  ['exit 3', [], sh('exit 3'), { reason: 'exited', exitCode: 3, signal: null }],
  ['exit 255', ['--no-tty'], sh('exit 255'), { reason: 'exited', exitCode: 255, signal: null }],
  ['exit 143', ['--no-tty'], sh('exit 143'), { reason: 'exited', exitCode: 143, signal: null }],
  ['kill -9 of itself', [], sh('kill -9 $$'), { reason: 'exited', exitCode: 137, signal: 'KILL' }],
  ['kill -9 of itself, on pipes', ['--no-tty'], sh('kill -9 $$'), { reason: 'exited', exitCode: 137, signal: 'KILL' }],
  [
    'too much memory',
    ['--memory', '32m'],
    ['--', 'tail', '/dev/zero'],
    { reason: 'oom', exitCode: 137, signal: 'KILL', oomKilled: true },
  ],
]

test.each(ENDS)('%s: wait, inspect, list and the exit code agree', async (_what, options, command, end) => {
  const { worker } = await instance.spawn([...options, project, ...command])
  const waited = await instance.exec(['coordinator', 'wait', worker.request, '--json'])
  const inspected = await instance.json<{ exit: ExitRecord }>(['inspect', worker.request])
  expect(inspected.exit).toMatchObject(end)
  const listed = await instance.list('-a', '--filter', `request=${worker.request}`)
  expect(listed).toMatchObject([{ state: 'ended', reason: end.reason, exitCode: end.exitCode, signal: end.signal }])
  expect(JSON.parse(waited.stdout)).toMatchObject({ exit: inspected.exit, exitCode: end.exitCode, source: 'command' })
  expect(waited.code).toBe(end.exitCode)
  await until('the container is gone', async () => (await instance.workerContainers()).length === 0)
})

test('a stop ends a command that honours TERM at once: 143, stopped', async () => {
  await instance.spawn(['-n', 'mild', project, '--', 'sleep', '100'])
  const stop = await instance.exec(['coordinator', 'stop', 'mild'])
  expect(await instance.ended('mild')).toMatchObject({ exit: { reason: 'stopped', exitCode: 143, signal: 'TERM' } })
  expect(await instance.workerContainers()).toEqual([])
  expect(stop).toMatchObject({ code: 0, stdout: 'mild\n', stderr: '' })
  expect(stop.ms).toBeLessThan(3000)
})

test('a command that ignores TERM is killed after the grace, and that is said', async () => {
  await instance.spawn(['-n', 'deaf', project, ...sh('trap "" TERM HUP; while :; do sleep 1; done')])
  const stop = await instance.exec(['coordinator', 'stop', '--time', '1', 'deaf'])
  expect(await instance.ended('deaf')).toMatchObject({ exit: { reason: 'stopped', exitCode: 137, signal: 'KILL' } })
  expect(await instance.workerContainers()).toEqual([])
  expect(stop.stderr).toBe('Worker "deaf" did not end within 1 s of TERM and was killed.\n')
  expect(stop.ms).toBeLessThan(6000)
})

test('a command that answers TERM with an exit of its own keeps it', async () => {
  const script = 'trap "echo bye; exit 9" TERM; echo up; while :; do sleep 0.1; done'
  await instance.spawn(['-n', 'polite', project, ...sh(script)])
  const logs = async (): Promise<string> => (await instance.exec(['coordinator', 'logs', 'polite'])).stdout
  await until('its trap is set', async () => (await logs()) === 'up\n')
  await instance.exec(['coordinator', 'stop', 'polite'])
  expect(await instance.ended('polite')).toMatchObject({ exit: { reason: 'stopped', exitCode: 9, signal: null } })
  expect(await logs()).toMatch(/^up\n(Terminated\n)?bye\n$/)
})

test('fifty that end at once are all recorded, each with its own code', async () => {
  const codes = Array.from({ length: 50 }, (_, index) => index)
  const order = (code: number): object => ({
    id: `r-instant-${code}`,
    name: `instant-${code}`,
    project,
    io: 'pipes',
    command: ['sh', '-c', `exit ${code}`],
  })
  const answers = await controlAll(instance, 'POST', '/v1/workers', codes.map(order))
  expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 200))
  const ended = await until('all have ended', async () => {
    const instant = (await instance.list('-a')).filter(({ name }) => name.startsWith('instant-'))
    return instant.every(({ state }) => state === 'ended') && instant
  })
  const told = new Map(ended.map(({ name, exitCode, reason }) => [name, `${reason} ${exitCode}`]))
  expect(told).toEqual(new Map(codes.map((code) => [`instant-${code}`, `exited ${code}`])))
  await until('no container is left', async () => (await instance.workerContainers()).length === 0)
}, 120_000)

test('a container that someone else removes is an end that failed, and the record says so', async () => {
  const { worker } = await instance.spawn(['-n', 'robbed', project, '--', 'sleep', '100'])
  await succeed('docker', ['rm', '-f', worker.id])
  const { exit } = await instance.ended('robbed')
  expect(exit).toMatchObject({ reason: 'failed', message: expect.stringContaining('removed') })
  expect(await instance.list()).toEqual([])
}, 30_000)

test('records and running workers outlive the parent: restarted, and made anew', async () => {
  const { worker } = await instance.spawn(['-n', 'survivor', project, '--', 'sleep', '300'])
  const before = await instance.list('-a')
  const same = async (): Promise<void> => expect(await instance.list('-a')).toEqual(before)
  await succeed('docker', ['restart', instance.parent])
  await until('it is ready', async () => (await instance.exec(['coordinator', 'ready'])).code === 0)
  await same()
  expect(await instance.hal(['down', '--keep'])).toMatchObject({ code: 0 })
  expect(await instance.containers()).toEqual(expect.not.arrayContaining([instance.parent]))
  expect(await instance.hal(['up'])).toMatchObject({ code: 0 })
  await same()
  expect(before.filter(({ state }) => state === 'running')).toMatchObject([{ id: worker.id }])
  const addresses = ['sh', '-c', 'cat /proc/net/route | wc -l']
  expect(Number(await succeed('docker', ['exec', worker.id, ...addresses]))).toBeGreaterThan(1)
  expect(await instance.exec(['coordinator', 'stop', 'survivor'])).toMatchObject({ code: 0 })
})
