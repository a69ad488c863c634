import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { FailureShape } from '../../coordinator/contract/failure.ts'
import type { SpawnResult, Worker } from '../../coordinator/contract/worker.ts'
import { imageOf } from '../support/images.ts'
import { Instance } from '../support/instance.ts'
import { type Output, succeed, until } from '../support/run.ts'

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

test('--replace stops the running one gracefully first, and says so', async () => {
  const polite = 'trap "exit 9" TERM; touch trapped; while :; do sleep 0.1; done'
  const old = (await instance.spawn(['-n', 'changed', one, '--', 'sh', '-c', polite])).worker
  await until('its trap is set', async () => existsSync(join(one, 'trapped')))
  const { worker, notices } = await instance.spawn(['-n', 'changed', '--replace', one, ...SLEEP])
  expect(await instance.list()).toMatchObject([{ id: worker.id, state: 'running' }])
  expect(worker.id).not.toBe(old.id)
  expect(notices).toEqual(['The running worker "changed" was stopped and replaced.'])
  expect(await instance.json(['inspect', old.request])).toMatchObject({ exit: { reason: 'stopped', exitCode: 9 } })
})

test('a --replace that is refused leaves the running one alone', async () => {
  const { worker } = await instance.spawn(['-n', 'stays', one, ...SLEEP])
  const refusals: [args: string[], code: number][] = [
    [['--bogus', one, ...SLEEP], 2],
    [['--memory', 'much', one, ...SLEEP], 2],
    [['--memory', '900t', one, ...SLEEP], 2],
    [['--cpus', '4000', one, ...SLEEP], 2],
    [['--env-file', join(instance.root, 'none'), one, ...SLEEP], 2],
    [['--image', 'hal9000/none:1', one, ...SLEEP], 5],
    [['--image', imageOf('parent'), one, ...SLEEP], 2],
    [[join(instance.root, 'none'), ...SLEEP], 5],
    [['/etc', ...SLEEP], 7],
    [[one, '--'], 2],
  ]
  const refused = await Promise.all(
    refusals.map(([args]) => instance.exec(['spawn', '-d', '-n', 'stays', '--replace', ...args])),
  )
  expect(await instance.list()).toMatchObject([{ id: worker.id, state: 'running' }])
  expect(refused.map(({ code }) => code)).toEqual(refusals.map(([, code]) => code))
})

test('of many that replace one worker at once each is told the truth, and one worker remains', async () => {
  await instance.spawn(['-n', 'wanted', one, ...SLEEP])
  const replacing = ['spawn', '-d', '--json', '-n', 'wanted', '--replace', one, ...SLEEP]
  const answers = await Promise.all(Array.from({ length: 4 }, () => instance.exec(replacing)))
  expect(await instance.workerContainers()).toHaveLength(1)
  expect(answers.map(({ code }) => code)).toEqual([0, 0, 0, 0])
  const [remains, ...others] = await instance.list()
  expect([remains?.state, others]).toEqual(['running', []])
  // Each had its worker, until the next one replaced it.
  const workers = answers.map(({ stdout }) => (JSON.parse(stdout) as SpawnResult).worker)
  expect(new Set(workers.map(({ id }) => id)).size).toBe(4)
  expect(workers.map(({ id }) => id)).toContain(remains?.id)
  for (const { request } of workers.filter(({ id }) => id !== remains?.id)) {
    expect(await instance.json(['inspect', request])).toMatchObject({ exit: { reason: 'stopped', exitCode: 143 } })
  }
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

/** 100 processes at once; with HAL9000_LONG they race twenty times. */
const RACERS = 100
const ROUNDS = process.env['HAL9000_LONG'] ? 20 : 1

test.each(Array.from({ length: ROUNDS }, (_, round) => `race-${round}`))(
  'of a hundred processes that race for the name %s one wins',
  async (name) => {
    const race = `i=0; while [ $i -lt ${RACERS} ]; do { spawn -d --json -n "$@" >/tmp/race-$i; echo $?; } & i=$((i + 1)); done
      wait; cat /tmp/race-*; rm /tmp/race-*`
    const raced = await instance.exec(['sh', '-c', race, 'race', name, one, ...SLEEP])
    expect(await instance.workerContainers()).toHaveLength(1)
    const lines = raced.stdout.trimEnd().split('\n')
    const codes = lines.slice(0, RACERS).sort()
    expect(codes).toEqual(['0', ...Array<string>(RACERS - 1).fill('6')])
    const answers = lines.slice(RACERS).map((line) => JSON.parse(line) as { worker?: Worker; error?: FailureShape })
    const [winner, ...winners] = answers.flatMap(({ worker }) => worker ?? [])
    expect(winners).toEqual([])
    expect(await instance.list()).toMatchObject([{ state: 'running', id: winner?.id }])
    const messages = new Set(answers.flatMap(({ error }) => error?.message ?? []))
    expect(
      [...messages].filter((message) => !/^Worker "race-\d+" is (already running|being started) in /.test(message)),
    ).toEqual([])
  },
)

test('a container of someone else under the name is never touched', async () => {
  const name = `${instance.name}-${hash8(one)}-theirs`
  const id = await succeed('docker', [
    'create',
    '--name',
    name,
    '--entrypoint',
    'sleep',
    imageOf('worker-ultramin'),
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
