import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { CoordinatorEvent } from '../../coordinator/contract/event.ts'
import type { Worker } from '../../coordinator/contract/worker.ts'
import { FaultyEngine } from '../faults/faulty-engine.ts'
import { openTerminal, untilAttached, WAYS } from '../support/attached.ts'
import { SERVICE, signalOwner, untilHealthy } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { succeed, until } from '../support/run.ts'

let engine: FaultyEngine
let instance: Instance
let project: string

beforeAll(async () => {
  engine = await FaultyEngine.start()
  instance = await Instance.planned()
  // Nobody but the coordinator is behind it.
  const behind = { env: { HAL9000_DOCKER_SOCKET: engine.socket }, timeout: 120_000 }
  const up = await instance.hal(['up', '--projects', instance.root], behind)
  if (up.code !== 0) throw new Error(`up failed with ${up.code}:\n${up.stderr}`)
  project = await instance.project('work')
})
afterEach(() => instance.stopAll())
afterAll(async () => {
  await instance.down()
  await engine[Symbol.asyncDispose]()
})

/** A coordinator goes and the next one comes, as a person has it. */
async function restart(): Promise<void> {
  expect(await instance.exec(['coordinator', 'daemon', 'restart'])).toMatchObject({ code: 0 })
}

/** Of a terminal in which a sentence of ours is a line. */
const WIDE = { columns: 140 }

/** Echoes what it is told, a line at a time. */
const ECHO = 'echo ready; while read -r line; do echo "heard <$line>"; done'
const start = async (name: string, script: string): Promise<Worker> =>
  (await instance.spawn(['-n', name, project, '--', 'bash', '-c', script])).worker

test('whoever follows or waits hears nothing of a restart, and misses and repeats nothing', async () => {
  const numbers = Array.from({ length: 80 }, (_, index) => `${index + 1}\n`)
  const script = `echo begun; until [ -e go ]; do sleep 0.05; done; for i in $(seq ${numbers.length}); do echo $i; sleep 0.05; done; exit 3`
  const events = instance.background(['events', '-f', '--json', '--tail', '1'])
  await events.printed('coordinator-started')
  const spawned = instance.background(['spawn', '-n', 'fg', project, '--', 'sh', '-c', script])
  await spawned.printed('begun')
  const logs = [[], ['--tail', '5'], ['--since', '1h']].map((how) => instance.background(['logs', '-f', ...how, 'fg']))
  await Promise.all(logs.map((log) => log.printed('begun')))
  const waiting = instance.background(['wait', 'fg'])
  await instance.exec(['coordinator', 'exec', 'fg', '--', 'touch', 'go'])
  for (const enough of ['10\n', '40\n']) {
    await spawned.printed(enough)
    await restart()
  }
  expect(await waiting.code).toBe(3)
  expect([await spawned.code, spawned.stdout]).toEqual([3, `begun\n${numbers.join('')}`])
  for (const log of logs) expect([await log.code, log.stdout]).toEqual([0, `begun\n${numbers.join('')}`])
  await events.printed('worker-ended')
  events.kill('SIGTERM')
  const kinds = events.stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : (JSON.parse(line) as CoordinatorEvent).kind))
  expect(kinds.join(', ')).toBe(
    'coordinator-started, worker-queued, worker-ready, ' +
      'coordinator-stopping, coordinator-started, coordinator-stopping, coordinator-started, worker-ended',
  )
})

test.each(WAYS)('%s attach goes over to the next coordinator, whether this one leaves or dies', async (way) => {
  const worker = await start('echoes', ECHO)
  await using terminal = await openTerminal(instance, way, ['attach', 'echoes'], WIDE)
  await terminal.shows('ready')
  await restart()
  await untilAttached(instance, worker, 1)
  await terminal.type('after a restart')
  await terminal.shows('heard <after a restart>')
  await signalOwner(instance, 'KILL')
  await terminal.resize(110, 15)
  await untilHealthy(instance)
  await untilAttached(instance, worker, 1)
  await terminal.type('after a crash')
  await terminal.shows('heard <after a crash>')
  const size = ['tmux', '-S', '/run/hal9000/user/tmux', 'list-clients', '-F', '#{client_width}x#{client_height}']
  const { stdout } = await instance.exec(['coordinator', 'exec', 'echoes', '--', ...size])
  expect(stdout).toBe('110x15\n')
  await terminal.press('C-b', 'd')
  expect(await terminal.ended()).toBe(0)
  await untilAttached(instance, worker, 0)
  const again = 'worker "echoes" keeps running.\nAttaching again; Ctrl-C leaves.\n'
  await terminal.shows(`The coordinator is being stopped or restarted; ${again}`)
  await terminal.shows(`The coordinator went away; ${again}`)
})

test('a session that nobody can be attached to any more is left in order, and that is told', async () => {
  const worker = await start('left', ECHO)
  await using terminal = await openTerminal(instance, './hal9000', ['attach', 'left'], WIDE)
  await terminal.shows('ready')
  await untilAttached(instance, worker, 1)
  expect(await instance.exec(['coordinator', 'daemon', 'stop'])).toMatchObject({ code: 0 })
  expect(await terminal.ended()).toBe(4)
  await instance.exec(['coordinator', 'daemon', 'start'])
  await terminal.shows('kept down until it is started. Worker "left" keeps running.\nNext: coordinator daemon start\n')
  await untilAttached(instance, worker, 0)
})

test('what was run beside is hung up on, and its client is told with 125', async () => {
  await start('beside', 'sleep 1000')
  const script = "trap 'echo hup >told; exit' HUP; echo >begun; sleep 1000 & wait"
  const running = instance.exec(['coordinator', 'exec', 'beside', '--', 'sh', '-c', script])
  await until('it runs', () => there('begun'))
  await restart()
  expect(await running).toMatchObject({
    code: 125,
    stderr: expect.stringContaining(
      'The coordinator is being stopped or restarted, and has hung up on what was run. ' +
        'Worker "beside" is not affected.\nNext: coordinator inspect beside\n',
    ),
  })
  await until('it was hung up on', () => there('told'))
})

/** Clients that ask for a log and do not read it. */
const DEAF = `for (let i = 0; i < 20; i += 1) {
  const socket = require('node:net').connect('/run/hal9000/control.sock')
  socket.write('GET /v1/workers/loud/logs?follow=1 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
  socket.on('error', () => {}).pause()
}`

test('with all in the middle of something, engine and Redis hanging: it leaves in time by itself, and all goes on', async () => {
  await start('loud', 'while :; do seq 1000; sleep 0.1; done')
  const echoes = await start('echoes', ECHO)
  await start('stubborn', "trap '' TERM HUP; echo ready; while :; do sleep 0.1; done")
  await using terminals = new AsyncDisposableStack()
  const open = () => openTerminal(instance, 'docker exec -it', ['attach', 'echoes'])
  const attached = await Promise.all(Array.from({ length: 5 }, async () => terminals.use(await open())))
  await untilAttached(instance, echoes, attached.length, 30_000)
  await succeed('docker', ['exec', '-d', instance.parent, 'node', '-e', DEAF])
  const stopping = instance.exec(['coordinator', 'stop', 'stubborn', '--time', '60'])
  await until('it is being stopped', async () => (await instance.list()).some(({ state }) => state === 'stopping'))
  let held = 0
  engine.fail(() => void (held += 1), /^POST .*\/containers\/[^/]*\/start/)
  const begun = ['a', 'b', 'c', 'd'].map((name) =>
    instance.exec(['spawn', '-d', '-n', name, project, '--', 'sleep', '100']),
  )
  await until('four are being started', async () => held === begun.length)
  engine.fail(() => {})
  const { pid: redis = 0 } = (await service(instance, 'redis')) ?? {}
  await signal(instance, 'STOP', redis)

  // The supervisor's own clock begins with the TERM; -wd returns when the process has ended.
  const timed = `begun=$(date +%s%N); s6-svc -wd -d ${SERVICE}; echo "$((($(date +%s%N) - begun) / 1000000))"; s6-svstat -o exitcode,signal ${SERVICE}`
  const [took = '', end] = (await instance.exec(['sh', '-c', timed])).stdout.split('\n')
  process.stderr.write(`left after ${took} ms\n`)
  expect(end).toBe('0 NA')
  expect(Number(took)).toBeLessThan(3_000)

  await signal(instance, 'CONT', redis)
  engine.recover()
  await instance.exec(['s6-svc', '-u', SERVICE])
  expect((await Promise.all(begun)).map(({ code }) => code)).toEqual([0, 0, 0, 0])
  await attached[0]?.type('still there')
  await Promise.all(attached.map((terminal) => terminal.shows('heard <still there>')))
  await untilAttached(instance, echoes, attached.length)
  // One after the other: what comes from several at once tmux takes for a paste, and not for its keys.
  for (const terminal of attached) {
    await terminal.press('C-b', 'd')
    expect(await terminal.ended()).toBe(0)
  }
  await untilAttached(instance, echoes, 0)
  expect(
    (await instance.list())
      .map(({ name }) => name)
      .sort()
      .join(' '),
  ).toBe('a b c d echoes loud stubborn')
  await instance.stopAll()
  await stopping
})

async function there(name: string): Promise<boolean> {
  return await readFile(join(project, name)).then(
    () => true,
    () => false,
  )
}
