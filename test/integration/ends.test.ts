import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CoordinatorEvent } from '../../coordinator/contract/event.ts'
import type { ExitRecord, Worker } from '../../coordinator/contract/worker.ts'
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

/** Of many that are small the supervisor would be the largest: what is to be killed must not be it. */
const SWARM = 'i=0; while [ $i -lt 300 ]; do sleep 10 & i=$((i+1)); done; wait'

const ENDS: [what: string, options: string[], command: string[], end: Partial<ExitRecord>, says: string[]][] = [
  ['exit 0', [], sh('exit 0'), { reason: 'exited', exitCode: 0, signal: null, oomKilled: false }, []],
  ['exit 1', ['--no-tty'], sh('exit 1'), { reason: 'exited', exitCode: 1, signal: null }, []],
  ['exit 3', [], sh('exit 3'), { reason: 'exited', exitCode: 3, signal: null }, []],
  ['exit 255', ['--no-tty'], sh('exit 255'), { reason: 'exited', exitCode: 255, signal: null }, []],
  ['exit 143', ['--no-tty'], sh('exit 143'), { reason: 'exited', exitCode: 143, signal: null }, []],
  [
    'kill -9 of itself',
    [],
    sh('kill -9 $$'),
    { reason: 'exited', exitCode: 137, signal: 'KILL' },
    ['a signal ended the command (exit code 137, signal KILL).'],
  ],
  [
    'kill -SEGV of itself, on pipes',
    ['--no-tty'],
    sh('kill -SEGV $$'),
    { reason: 'exited', exitCode: 139, signal: 'SEGV' },
    ['a signal ended the command (exit code 139, signal SEGV).'],
  ],
  // tmux hangs up on a terminal that nobody has open.
  [
    'exit 5 with nothing of its terminal open',
    [],
    sh('exec </dev/null >/dev/null 2>&1; sleep 1; exit 5'),
    { reason: 'exited', exitCode: 5, signal: null },
    [],
  ],
  [
    'too much memory',
    ['--memory', '32m'],
    ['--', 'tail', '/dev/zero'],
    { reason: 'oom', exitCode: 137, signal: 'KILL', oomKilled: true, oomKills: 1 },
    [
      'it ran out of memory (exit code 137, signal KILL).',
      '1 process was killed for want of memory (limit 32 MiB); raise it with --memory.',
    ],
  ],
  [
    'a child with too much memory',
    ['--memory', '32m', '--no-tty'],
    sh('tail /dev/zero; true'),
    { reason: 'exited', exitCode: 0, signal: null, oomKilled: true, oomKills: 1 },
    [
      'the command ended (exit code 0).',
      '1 process was killed for want of memory (limit 32 MiB); raise it with --memory.',
    ],
  ],
  [
    'a child with too much memory, whose code is passed on',
    ['--memory', '32m'],
    sh('tail /dev/zero; exit $?'),
    { reason: 'exited', exitCode: 137, signal: null, oomKilled: true, oomKills: 1 },
    [
      'the command ended (exit code 137).',
      '1 process was killed for want of memory (limit 32 MiB); raise it with --memory.',
    ],
  ],
  [
    'a timeout',
    ['--timeout', '500ms'],
    ['--', 'sleep', '100'],
    { reason: 'timeout', exitCode: 143, signal: 'TERM' },
    ['its time was over (exit code 143, signal TERM).', 'Its time limit was 0.5 s; raise it with --timeout.'],
  ],
]

test.each(ENDS)('%s: all who tell of it agree', async (_what, options, command, end, says) => {
  const { worker } = await instance.spawn([...options, project, ...command])
  const waited = await instance.exec(['coordinator', 'wait', worker.request, '--json'])
  const inspected = await instance.json<{ exit: ExitRecord }>(['inspect', worker.request])
  expect(inspected.exit).toMatchObject(end)
  const listed = await instance.list('-a', '--filter', `request=${worker.request}`)
  expect(listed).toMatchObject([{ state: 'ended', reason: end.reason, exitCode: end.exitCode, signal: end.signal }])
  expect(JSON.parse(waited.stdout)).toMatchObject({ exit: inspected.exit, exitCode: end.exitCode, source: 'command' })
  expect(waited.code).toBe(end.exitCode)
  const { reason, exitCode, signal, oomKills, pidsLimitHits } = inspected.exit
  expect(listed).toMatchObject([{ oomKills, pidsLimitHits }])
  const [told, ...more] = await endEvents(worker)
  expect([told?.exit, more]).toEqual([{ reason, exitCode, signal, oomKills, pidsLimitHits }, []])
  const [first, ...others] = says
  const lines = first === undefined ? [] : [`Worker "${worker.name}" ended: ${first}`, ...others]
  const { stderr } = await instance.exec(['coordinator', 'wait', worker.request])
  expect(stderr.split('\n').slice(0, -1)).toEqual(lines)
  for (const line of lines) expect(`Worker "${worker.name}" ended: ${told?.message}.`).toContain(line)
  await until('the container is gone', async () => (await instance.workerContainers()).length === 0)
})

test.each(['session', 'pipes'])('a fork bomb is bounded, and told with its count (%s)', async (io) => {
  const options = ['-n', `bomb-${io}`, '--pids-limit', '40', ...(io === 'pipes' ? ['--no-tty'] : [])]
  const bomb = 'for i in $(seq 100); do (while :; do sleep 1; done) & done 2>/dev/null; exit 4'
  const ran = await instance.exec(['spawn', '--foreground', ...options, project, '--', 'bash', '-c', bomb])
  const { exit } = await instance.ended(`bomb-${io}`)
  expect(exit).toMatchObject({ reason: 'exited', signal: null, oomKills: 0, pidsLimitHits: expect.any(Number) })
  expect(exit?.pidsLimitHits).toBeGreaterThan(0)
  expect(ran.code).toBe(exit?.exitCode)
  expect(ran.stderr).toMatch(/The process limit of 40 refused \d+ new process(es)?; raise it with --pids-limit\.\n$/)
})

test.each(['session', 'pipes'])('when memory is short the command goes, not who watches over it (%s)', async (io) => {
  const options = ['--memory', '16m', '--pids-limit', '400', ...(io === 'pipes' ? ['--no-tty'] : [])]
  const { worker } = await instance.spawn([...options, project, ...sh(SWARM)])
  const { exit } = await instance.ended(worker.request)
  // With its supervisor gone nobody could have counted; with its session gone it would have ended of a hang-up.
  expect(exit).toMatchObject({ oomKilled: true, oomKills: expect.any(Number), message: null })
  expect(exit?.signal).not.toBe('HUP')
})

test('a worker that is killed whole is told so', async () => {
  const { worker } = await instance.spawn([project, '--', 'sleep', '100'])
  await succeed('docker', ['kill', '--signal', 'KILL', worker.id])
  const { exit } = await instance.ended(worker.request)
  const message = 'All its processes were killed at once, from outside.'
  expect(exit).toMatchObject({ reason: 'engine-stopped', exitCode: 137, signal: 'KILL', oomKills: null, message })
})

test('a worker that the engine stops is told so, not as ended by itself', async () => {
  const { worker } = await instance.spawn([project, '--', 'sleep', '100'])
  await succeed('docker', ['stop', worker.id])
  expect(await instance.ended(worker.request)).toMatchObject({
    exit: { reason: 'engine-stopped', exitCode: 143, signal: 'TERM', message: null },
  })
})

test('a child killed for memory shows while its worker goes on, and is told once', async () => {
  const script = 'tail /dev/zero; tail /dev/zero; until [ -e enough ]; do sleep 0.1; done'
  const { worker } = await instance.spawn(['-n', 'short', '--memory', '32m', '--no-tty', project, ...sh(script)])
  await until('it shows', async () => (await instance.list('--filter', 'condition=limit-hit')).length === 1)
  const inspected = await instance.exec(['coordinator', 'inspect', 'short'])
  expect(inspected.stdout).toMatch(/^condition +limit-hit: .*--memory/m)
  expect((await instance.exec(['coordinator', 'status'])).stdout).toMatch(/^conditions +1 limit-hit$/m)
  await writeFile(join(project, 'enough'), '')
  expect(await instance.ended('short')).toMatchObject({ exit: { reason: 'exited', exitCode: 0, oomKills: 2 } })
  const told = (await instance.events(worker.request)).filter(({ kind }) => kind === 'worker-limit-hit')
  expect(told).toMatchObject([{ message: expect.stringContaining('(limit 32 MiB)'), exit: null }])
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

test('a stop that has no effect shows when its grace is over', async () => {
  const { worker } = await instance.spawn(['-n', 'late', project, '--', 'sleep', '100'])
  // The engine reaches the worker through its shim, its parent process: while that is stopped, nothing is killed.
  const pid = await succeed('docker', ['container', 'inspect', '--format', '{{.State.Pid}}', worker.id])
  const shim = Number((await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ')[1])
  process.kill(shim, 'SIGSTOP')
  try {
    const stop = instance.exec(['coordinator', 'stop', '--time', '1', 'late'])
    const late = async () => (await instance.list('--filter', 'condition=stopping-late')).length === 1
    await until('it shows', late)
    process.kill(shim, 'SIGCONT')
    expect(await stop).toMatchObject({ code: 0, stdout: 'late\n' })
  } finally {
    process.kill(shim, 'SIGCONT')
  }
  expect(await instance.ended('late')).toMatchObject({ worker: { conditions: [] }, exit: { reason: 'stopped' } })
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

test('two hundred that end at once are all recorded, each with its own code and output', async () => {
  const codes = Array.from({ length: 200 }, (_, index) => index)
  const order = (code: number): object => ({
    id: `r-instant-${code}`,
    name: `instant-${code}`,
    project,
    io: 'pipes',
    command: ['sh', '-c', code % 2 ? `echo out-${code}; exit ${code}` : `exit ${code}`],
  })
  // In parts, because the queue takes a hundred.
  for (let first = 0; first < codes.length; first += 50) {
    const some = codes.slice(first, first + 50)
    const answers = await controlAll(instance, 'POST', '/v1/workers', some.map(order))
    expect(answers.map(({ status }) => status)).toEqual(some.map(() => 200))
  }
  const ended = await until('all have ended', async () => {
    const instant = (await instance.list('-a')).filter(({ name }) => name.startsWith('instant-'))
    return instant.every(({ state }) => state === 'ended') && instant
  })
  const told = new Map(ended.map(({ name, exitCode, reason }) => [name, `${reason} ${exitCode}`]))
  expect(told).toEqual(new Map(codes.map((code) => [`instant-${code}`, `exited ${code}`])))
  expect(ended).toHaveLength(codes.length)
  const kept = await instance.exec(['sh', '-c', 'cd /var/lib/hal9000/logs/workers; grep -o "out-.*" instant-*'])
  const output = (code: number): string => `instant-${code}-r-instant-${code}.log:out-${code}`
  expect(kept.stdout.trimEnd().split('\n').sort()).toEqual(
    codes
      .filter((code) => code % 2)
      .map(output)
      .sort(),
  )
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

/** The record of an end is there a moment before it is told. */
function endEvents(worker: Worker): Promise<CoordinatorEvent[]> {
  return until('its end is told', async () => {
    const told = (await instance.events(worker.request)).filter(({ kind }) => kind === 'worker-ended')
    return told.length > 0 && told
  })
}
