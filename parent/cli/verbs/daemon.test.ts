import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Owner } from '../../../coordinator/contract/owner.ts'
import { identityOf } from '../../../coordinator/instance/identity.ts'
import { writeOwnerRecord } from '../../../coordinator/instance/owner-record.ts'
import { run } from '../program.ts'
import { json, refuse, testCoordinator, type Answer } from '../testing/test-coordinator.ts'
import { testWorld } from '../testing/test-world.ts'
import { coordinatorVerbs } from '../verbs.ts'

const OWNER: Owner = {
  instance: 'hal9000',
  epoch: 7,
  pid: 123,
  startTime: 456,
  bootId: '382d16f7-10ad-4759-bd06-eb633bddf085',
  pidNamespace: 'pid:[4026532953]',
  startedAt: '2030-01-01T00:00:00.000Z',
  version: '0.1.0',
}
const UP = 'true true true 123 -1 NA 60'
const KEPT_DOWN = 'false false false -1 0 NA 60'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'daemon-'))
  await writeFile(join(home, 'coordinator.lock'), '')
})
afterEach(async () => await rm(home, { recursive: true }))

/** A supervisor and a lock that are as the test says, and remember what they were told. */
function surroundings(is: { service: string; locked: boolean }) {
  const told: string[] = []
  const execute = async (program: string, args: readonly string[]): Promise<{ code: number; stdout: string }> => {
    if (program === 's6-svstat') return { code: is.service === '' ? 1 : 0, stdout: `${is.service}\n` }
    if (program === 'flock') return { code: is.locked ? 75 : 0, stdout: '' }
    told.push([program, ...args].join(' '))
    if (args[0] === '-Q') is.service = KEPT_DOWN
    return { code: is.service === '' ? 100 : 0, stdout: '' }
  }
  return { told, execute }
}

async function daemon(
  argv: string[],
  is: { service: string; locked: boolean; answer?: Answer },
): Promise<{ code: number; out: string; err: string; told: string[] }> {
  const answer: Answer = is.answer ?? ((_, response) => json(response, OWNER))
  await using server = await testCoordinator(answer)
  if (is.answer === undefined && !is.locked) await server.close()
  const { told, execute } = surroundings(is)
  const world = Object.assign(testWorld({ HAL9000_SOCKET: server.socketPath, HAL9000_HOME: home }), { execute })
  const code = await run('coordinator', coordinatorVerbs, world, ['daemon', ...argv])
  return { code, out: world.out(), err: world.err(), told }
}

test('start of one that answers tells its owner, and only has the supervisor not keep it down', async () => {
  const { code, out, told } = await daemon(['start', '--json'], { service: UP, locked: true })
  expect([code, JSON.parse(out)]).toMatchObject([0, { state: 'healthy', owner: OWNER, instance: 'hal9000' }])
  expect(told).toEqual(['s6-svc -U /run/hal9000/service/coordinator'])
})

test('stop of one that is not there keeps it down, and says so', async () => {
  const { code, out, err, told } = await daemon(['stop'], { service: KEPT_DOWN, locked: false })
  expect([code, err]).toEqual([0, 'The coordinator was not running.\n'])
  expect(out).toMatch(/^daemon +absent: it was stopped and is kept down until it is started$/m)
  expect(told).toEqual(['s6-svc -Q /run/hal9000/service/coordinator'])
})

test.each([
  ['healthy', 0, { service: UP, locked: true }],
  ['absent', 4, { service: KEPT_DOWN, locked: false }],
  ['foreign', 10, { service: KEPT_DOWN, locked: true, answer: cut }],
])('status: %s is exit code %i', async (state, exitCode, is) => {
  const { code, out, told } = await daemon(['status', '--json'], is)
  expect([code, JSON.parse(out)]).toMatchObject([exitCode, { state, schemaVersion: 1 }])
  expect(told).toEqual([])
})

test('status names a state directory that takes nothing, and shows what the default was guessed from', async () => {
  await rm(home, { recursive: true })
  const { out } = await daemon(['status', '--json'], { service: UP, locked: true })
  expect(JSON.parse(out)).toMatchObject({
    problems: [`The state directory ${home} is not there.`],
    lock: 'missing',
    state: 'stale',
    enforceSingleDaemonProcess: { container: { threshold: 3, evidence: expect.any(Array) } },
  })
  // The test takes it away again.
  home = await mkdtemp(join(tmpdir(), 'daemon-'))
})

test('where nobody supervises, start says so at once', async () => {
  const { code, err } = await daemon(['start'], { service: '', locked: false })
  expect(code).toBe(4)
  expect(err).toMatch(/^Nobody supervises the coordinator: .*\nNext: \.\/hal9000 restart\n$/)
})

test('an owner that nobody can prove is not ended, also with --force', async () => {
  const { code, err, told } = await daemon(['stop', '--force'], { service: KEPT_DOWN, locked: true, answer: cut })
  expect(code).toBe(10)
  expect(err).toMatch(/nobody was ended: somebody holds the lock and left no record/)
  expect(told).toEqual(['s6-svc -Q /run/hal9000/service/coordinator'])
}, 20_000)

test('a word that is none of its verbs is a usage error', async () => {
  expect(await daemon(['begin'], { service: UP, locked: true })).toMatchObject({ code: 2 })
  expect(await daemon(['start', 'now'], { service: UP, locked: true })).toMatchObject({ code: 2 })
})

test('one that runs and is slow is asked a second time', async () => {
  await writeOwnerRecord(home, { ...OWNER, ...(await identityOf(process.pid)) })
  let asked = 0
  const answer: Answer = (_, response) => {
    asked += 1
    if (asked > 1) json(response, OWNER)
  }
  const { out } = await daemon(['status', '--json'], { service: UP, locked: true, answer })
  expect(JSON.parse(out)).toMatchObject({ state: 'healthy' })
}, 20_000)

test('one that refuses the handshake is silent, not somebody else', async () => {
  const answer: Answer = (_, response) =>
    refuse(response, 503, { code: 'not-ready', exitCode: 4, message: 'Another coordinator holds this instance.' })
  const { out } = await daemon(['status', '--json'], { service: UP, locked: false, answer })
  expect(JSON.parse(out)).toMatchObject({ state: 'wedged', owner: null })
})

/** A listener that hangs up. */
function cut(_: unknown, response: Parameters<Answer>[1]): void {
  response.socket?.destroy()
}
