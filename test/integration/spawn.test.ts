import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SpawnResult } from '../../coordinator/contract/worker.ts'
import { control } from '../support/control.ts'
import { inspectContainer } from '../support/inspect.ts'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

describe('what spawn prints', () => {
  test('detached: the name alone on stdout, and next steps on stderr that work', async () => {
    const spawned = await instance.exec(['spawn', '-d', '--name', 'printed', project, '--', 'sleep', '100'])
    expect(await instance.list()).toMatchObject([{ name: 'printed', project, state: 'running', exitCode: null }])
    expect(spawned).toMatchObject({ code: 0, stdout: 'printed\n' })
    const steps = new Map(spawned.stderr.split('\n').map((line) => line.split(/: +/) as [string, string]))
    expect(steps.get('attach')).toBe('coordinator attach printed')
    expect(steps.get('logs')).toBe('coordinator logs -f printed')
    expect(await instance.exec((steps.get('stop') ?? '').split(' '))).toMatchObject({ code: 0, stdout: 'printed\n' })
  })

  test('the default name is the command and four hexadecimal digits', async () => {
    const spawned = await instance.exec(['spawn', '-d', project, '--', '/bin/sleep', '100'])
    expect(spawned.stdout).toMatch(/^sleep-[0-9a-f]{4}\n$/)
    await instance.exec(['coordinator', 'stop', spawned.stdout.trim()])
  })

  test('--json: one object with the worker, the time of each stage, and why it was detached', async () => {
    const { worker, run, timings, notices } = await instance.spawn([project, '-n', 'j', '--', 'sleep', '100'])
    expect(worker).toMatchObject({ name: 'j', project, state: 'running', command: ['sleep', '100'], attached: 0 })
    expect(worker).toMatchObject({ io: 'session', id: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(worker.image).toMatch(/^hal9000\/worker:/)
    expect(worker.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(worker.limits).toEqual({ memory: 4 * 2 ** 30, cpus: expect.any(Number), pids: 100 })
    expect(run).toEqual({ mode: 'detached', because: '--detach was given' })
    expect(Object.keys(timings)).toEqual(['dequeued', 'admitted', 'created', 'started', 'ready'])
    expect(notices).toEqual([])
    await instance.exec(['coordinator', 'stop', 'j'])
  })

  test('in the foreground, without a terminal: the output, and the exit code of the command', async () => {
    const ran = await instance.exec(['spawn', project, '--', 'sh', '-c', 'echo one; echo two; exit 7'])
    expect(ran).toMatchObject({ code: 7, stdout: 'one\ntwo\n' })
  })

  test.each([
    ['1', 'detached'],
    ['0', 'foreground'],
  ])('AGENTIC_IN_CONTAINER=%s makes it %s', async (marker, mode) => {
    const ran = await instance.exec(['spawn', '-n', 'marked', project, '--', 'echo', 'output'], {
      env: { AGENTIC_IN_CONTAINER: marker },
    })
    expect(ran).toMatchObject({ code: 0, stdout: mode === 'detached' ? 'marked\n' : 'output\n' })
    await until('its end is recorded', async () => (await instance.list()).length === 0)
  })
})

describe('the request', () => {
  test('--no-wait prints its id, and the worker comes', async () => {
    const queued = await instance.exec(['spawn', '--no-wait', '-n', 'later', project, '--', 'sleep', '100'])
    expect(queued).toMatchObject({ code: 0, stdout: expect.stringMatching(/^r[0-9a-f]{24}\n$/) })
    const id = queued.stdout.trim()
    await until('the worker runs', async () =>
      (await instance.list()).some((one) => one.request === id && one.state === 'running'),
    )
    expect(await instance.exec(['coordinator', 'stop', id])).toMatchObject({ code: 0, stdout: 'later\n' })
  })

  test('the same request again is the same worker, also at once and after its end', async () => {
    const body = { id: 'r-the-same-again', project, name: 'once', command: ['sleep', '100'] }
    const send = () => control(instance, 'POST', '/v1/workers', body)
    const answers = [...(await Promise.all([send(), send(), send()])), await send()]
    expect(await instance.workerContainers()).toHaveLength(1)
    const ids = answers.map(({ body }) => (body as unknown as SpawnResult).worker?.id)
    expect(new Set(ids)).toEqual(new Set([expect.stringMatching(/^[0-9a-f]{64}$/)]))
    await instance.exec(['coordinator', 'stop', 'once'])
    expect(await send()).toMatchObject({ status: 200, body: { worker: { name: 'once' } } })
    expect(await instance.workerContainers()).toEqual([])
  })
})

describe('the container', () => {
  test('--no-rm keeps it, stopped, and it is listed with its end', async () => {
    await instance.exec(['spawn', '--no-rm', '-n', 'kept', project, '--', 'sh', '-c', 'exit 4'])
    expect(await instance.workerContainers()).toEqual([expect.stringMatching(/-kept$/)])
    expect(await instance.list('-a', '--filter', 'name=kept')).toMatchObject([
      { state: 'ended', reason: 'exited', exitCode: 4 },
    ])
    const [name = ''] = await instance.workerContainers()
    await succeed('docker', ['rm', name])
  })

  test('--timeout ends it with reason timeout', async () => {
    await instance.spawn(['-n', 'late', '--timeout', '1s', project, '--', 'sleep', '100'])
    expect(await instance.ended('late')).toMatchObject({
      worker: { state: 'ended' },
      exit: { reason: 'timeout', exitCode: 143, signal: 'TERM' },
    })
    await until('its container is gone', async () => (await instance.workerContainers()).length === 0)
  })

  test('a project without an owner but root works too', async () => {
    const roots = await instance.project('of-root', 0)
    await writeFile(join(roots, 'file'), 'content\n', { mode: 0o600 })
    expect(await instance.exec(['spawn', '--no-tty', roots, '--', 'cat', 'file'])).toMatchObject({
      code: 0,
      stdout: 'content\n',
    })
  })

  test('it has the network of the holder, and no mount but the project', async () => {
    const { worker } = await instance.spawn(['-n', 'net', project, '--', 'sleep', '100'])
    const container = await inspectContainer(worker.id)
    const holder = await succeed('docker', ['container', 'inspect', '--format', '{{.Id}}', `${instance.name}-net`])
    expect(container.HostConfig.NetworkMode).toBe(`container:${holder}`)
    expect(container.Mounts).toMatchObject([{ Type: 'bind', Source: project, Destination: project }])
    const namespace = ['readlink', '/proc/self/ns/net']
    expect(await succeed('docker', ['exec', worker.id, ...namespace])).toBe(
      (await instance.exec(namespace)).stdout.trim(),
    )
    await instance.exec(['coordinator', 'stop', 'net'])
  })
})
