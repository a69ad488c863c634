import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { FailureShape } from '../../coordinator/contract/failure.ts'
import { Instance } from '../support/instance.ts'
import { type Output, succeed } from '../support/run.ts'

const SLEEP = ['--', 'sleep', '100']

let instance: Instance
let one: string
let two: string

beforeAll(async () => {
  instance = await Instance.up()
  one = await instance.project('one')
  two = await instance.project('two')
})
afterEach(async () => {
  await instance.stopAll()
})
afterAll(() => instance.down())

test('one name in two projects is two workers, found by directory, hash, id prefix or request', async () => {
  const first = (await instance.spawn(['-n', 'same', one, ...SLEEP])).worker
  const second = (await instance.spawn(['-n', 'same', two, ...SLEEP])).worker
  expect(await instance.workerContainers()).toHaveLength(2)
  for (const [ref, id] of [
    ['one/same', first.id],
    ['two/same', second.id],
    [`${hash8(one)}/same`, first.id],
    [second.id.slice(0, 8), second.id],
    [second.id, second.id],
    [first.request, first.id],
  ] as const) {
    expect([ref, await instance.json(['inspect', ref])]).toMatchObject([ref, { worker: { id } }])
  }
  const ambiguous = await failure(['coordinator', 'stop', 'same', '--json'])
  expect(ambiguous).toMatchObject({ code: 'ambiguous', exitCode: 5 })
  for (const project of [one, two]) expect(ambiguous.message).toContain(`${hash8(project)}/same (${project})`)
  expect(await instance.exec(ambiguous.hint?.split(' ') ?? [])).toMatchObject({ code: 0 })
  expect(await instance.list()).toHaveLength(2)
})

test('an exact name beats an id prefix', async () => {
  const first = (await instance.spawn(['-n', 'first', one, ...SLEEP])).worker
  const second = (await instance.spawn(['-n', first.id.slice(0, 8), one, ...SLEEP])).worker
  expect(await instance.json(['inspect', first.id.slice(0, 8)])).toMatchObject({ worker: { id: second.id } })
})

test('the name of a running worker is taken: exit 6, and how to attach', async () => {
  const { worker } = await instance.spawn(['-n', 'taken', one, ...SLEEP])
  expect(await failure(['spawn', '-d', '--json', '-n', 'taken', one, ...SLEEP])).toEqual({
    code: 'name-in-use',
    exitCode: 6,
    hint: 'coordinator attach taken',
    message: `Worker "taken" is already running in ${one}.`,
  })
  expect(await instance.list()).toMatchObject([{ id: worker.id, state: 'running' }])
  // The hint is a command that exists: here it gets as far as the missing terminal.
  expect(await instance.exec(['coordinator', 'attach', 'taken'])).toMatchObject({ code: 2 })
})

test('--replace stops the running one first, and says so', async () => {
  const old = (await instance.spawn(['-n', 'changed', one, ...SLEEP])).worker
  const { worker, notices } = await instance.spawn(['-n', 'changed', '--replace', one, ...SLEEP])
  expect(await instance.list()).toMatchObject([{ id: worker.id, state: 'running' }])
  expect(worker.id).not.toBe(old.id)
  expect(notices).toEqual(['The running worker "changed" was stopped and replaced.'])
  expect(await instance.json(['inspect', old.request])).toMatchObject({ exit: { reason: 'stopped', exitCode: 143 } })
})

test('an ended worker that is kept holds its name until it is removed, as the hint says, or replaced', async () => {
  await instance.exec(['spawn', '--no-rm', '-n', 'kept', one, '--', 'true'])
  // Another one of the name runs: the hint must not mean that.
  const other = (await instance.spawn(['-n', 'kept', two, ...SLEEP])).worker
  const refused = await failure(['spawn', '-d', '--json', '-n', 'kept', one, ...SLEEP])
  expect(refused).toMatchObject({ code: 'name-in-use', exitCode: 6, message: expect.stringContaining('is kept') })
  expect(refused.hint).toBe('coordinator rm one/kept')
  expect(await instance.exec(refused.hint?.split(' ') ?? [])).toMatchObject({ code: 0, stdout: 'kept\n', stderr: '' })
  expect(await instance.list()).toMatchObject([{ id: other.id, state: 'running' }])
  expect(await instance.exec(['spawn', '--no-rm', '-n', 'kept', one, '--', 'true'])).toMatchObject({ code: 0 })
  await instance.exec(['coordinator', 'stop', 'two/kept'])
  const { notices } = await instance.spawn(['-n', 'kept', '--replace', one, ...SLEEP])
  expect(notices).toEqual(['An ended worker "kept" was removed; its exit record is kept.'])
  expect(await instance.list()).toMatchObject([{ name: 'kept', state: 'running' }])
})

test('of thirty that race for one name one wins', async () => {
  const racers = await Promise.all(
    Array.from({ length: 30 }, () => instance.exec(['spawn', '-d', '--json', '-n', 'race', one, ...SLEEP])),
  )
  expect(await instance.workerContainers()).toHaveLength(1)
  const codes = racers.map(({ code }) => String(code)).sort()
  expect(codes).toEqual(['0', ...Array<string>(29).fill('6')])
  const winner = racers.find(({ code }) => code === 0)
  expect(await instance.list()).toMatchObject([{ state: 'running', id: JSON.parse(winner?.stdout ?? '').worker.id }])
})

test('a container of someone else under the name is never touched', async () => {
  const name = `${instance.name}-${hash8(one)}-theirs`
  const id = await succeed('docker', [
    'create',
    '--name',
    name,
    '--entrypoint',
    'sleep',
    'hal9000/worker-ultramin:0.1.0',
    '100',
  ])
  try {
    for (const options of [[], ['--replace']]) {
      const refused = await failure(['spawn', '-d', '--json', '-n', 'theirs', ...options, one, ...SLEEP])
      expect(refused).toMatchObject({ code: 'name-in-use', exitCode: 6, message: expect.stringContaining(name) })
    }
    const state = ['container', 'inspect', '--format', '{{.Id}} {{.State.Status}}', name]
    expect(await succeed('docker', state)).toBe(`${id} created`)
    expect(await instance.list('-a', '--filter', 'name=theirs')).toEqual([])
  } finally {
    await succeed('docker', ['rm', id])
  }
})

async function failure(command: readonly string[]): Promise<FailureShape> {
  const output: Output = await instance.exec(command)
  const { error } = JSON.parse(output.stdout) as { error: FailureShape }
  expect(output.code).toBe(error.exitCode)
  return error
}

function hash8(project: string): string {
  return createHash('sha256').update(project).digest('hex').slice(0, 8)
}
