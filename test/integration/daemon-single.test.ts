import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Owner } from '../../coordinator/contract/owner.ts'
import {
  bystander,
  daemons,
  daemonStatus,
  HOME,
  isAlive,
  parentLog,
  signalOwner,
  startByHand,
  untilHealthy,
} from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { succeed, until } from '../support/run.ts'

/** HAL9000_LONG=1: as many rounds as make it a proof, not a smoke test. */
const ROUNDS = process.env['HAL9000_LONG'] === '1' ? 100 : 3
const AT_ONCE = 50

let instance: Instance
let project: string
let other: number

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  await untilHealthy(instance)
  other = await bystander(instance, ['sleep', '2345'])
})
afterAll(() => instance.down())

const daemon = (...words: string[]) => instance.exec(['coordinator', 'daemon', ...words])
const inside = (script: string, timeout = 60_000) =>
  succeed('docker', ['exec', instance.parent, 'sh', '-c', script], { timeout })
const redis = (...words: string[]) =>
  succeed('docker', ['exec', instance.parent, 'redis-cli', '-s', '/run/hal9000/redis/redis.sock', ...words])
const epochKey = () => `hal9000:${instance.name}:epoch`

/** Exactly one coordinator, which answers; everybody else as before. */
async function exactlyOne(): Promise<Owner> {
  const owner = await untilHealthy(instance)
  expect((await daemons(instance)).map(({ pid }) => pid)).toEqual([owner.pid])
  expect(await isAlive(instance, other)).toBe(true)
  return owner
}

test(
  `${AT_ONCE} starts at once, after a stop or a kill at any moment, come to one coordinator`,
  async () => {
    const slowest: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round % 2 === 0) await daemon('stop')
      else {
        // At any moment: also while the one before is not up yet.
        await new Promise((resolve) => setTimeout(resolve, (round * 137) % 700))
        await signalOwner(instance, 'KILL').catch(() => {})
      }
      const since = Date.now()
      const starts = await inside(
        `for i in $(seq ${AT_ONCE}); do coordinator daemon start --json & done; wait`,
        120_000,
      )
      slowest.push(Date.now() - since)
      const answers = starts.split('\n').map((line) => JSON.parse(line) as { owner: Owner | null; state: string })
      const owner = await exactlyOne()
      expect(answers).toHaveLength(AT_ONCE)
      // One that is killed in between may have been the answer of the first of them.
      expect(new Set(answers.map((answer) => answer.owner?.epoch))).toEqual(new Set([owner.epoch]))
    }
    if (ROUNDS > 3)
      process.stderr.write(`${ROUNDS} rounds, milliseconds: ${slowest.toSorted((a, b) => a - b).join(' ')}\n`)
  },
  ROUNDS * 60_000,
)

test('kills of the holder at any moment: there is never more than one, and one in the end', async () => {
  for (let turn = 0; turn < (ROUNDS > 3 ? 100 : 10); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, (turn * 211) % 900))
    const running = await daemons(instance)
    expect(running.length).toBeLessThanOrEqual(1)
    if (running[0] !== undefined) await signal(instance, 'KILL', running[0].pid).catch(() => {})
  }
  await exactlyOne()
}, 600_000)

describe('a coordinator that was started by hand', () => {
  async function byHand(): Promise<Owner> {
    await daemon('stop')
    await startByHand(instance)
    return await untilHealthy(instance)
  }

  test('without the lock does not start', async () => {
    const refused = await instance.exec(['node', '/usr/lib/hal9000/daemon.cjs'])
    expect(refused.code).toBe(10)
    expect(refused.stdout).toContain('This process was not started with the lock')
    await exactlyOne()
  })

  test('is the one, and the one of the supervisor waits for it', async () => {
    const owner = await byHand()
    expect(await daemonStatus(instance)).toMatchObject({
      because: 'it holds the lock and answers, but the supervisor did not start it',
    })
    expect(await daemon('start')).toMatchObject({ code: 0 })
    expect(await exactlyOne()).toEqual(owner)
    await signal(instance, 'TERM', owner.pid)
    await until('the one of the supervisor is there', async () => (await untilHealthy(instance)).pid !== owner.pid)
    expect(await exactlyOne()).toMatchObject({ pid: (await service(instance, 'coordinator'))?.pid })
  })

  test('and is wedged, is ended by its identity, where that is enforced', async () => {
    const owner = await byHand()
    await signal(instance, 'STOP', owner.pid)
    await daemon('start')
    await until('it is gone', async () => !(await isAlive(instance, owner.pid)), 60_000)
    await exactlyOne()
    expect(await parentLog(instance)).toContain(
      `the wedged predecessor, process ${owner.pid} of epoch ${owner.epoch}, was ended`,
    )
  }, 120_000)

  test('and is wedged, is reported and left alone, where that is not enforced', async () => {
    await inside(`echo '{ "enforceSingleDaemonProcess": false }' >${HOME}/config/hal9000.json`)
    const owner = await byHand()
    await signal(instance, 'STOP', owner.pid)
    await daemon('start')
    const reported = 'the wedged predecessor is left alone (enforceSingleDaemonProcess in config/hal9000.json)'
    await until('it is reported', async () => (await parentLog(instance)).includes(reported), 60_000)
    expect(await isAlive(instance, owner.pid)).toBe(true)
    // The file is the user's for workers too, and the option is none of theirs.
    await signal(instance, 'CONT', owner.pid)
    expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
    await inside(`rm ${HOME}/config/hal9000.json`)
    await signal(instance, 'KILL', owner.pid)
    await exactlyOne()
  }, 120_000)
})

describe('a holder whose lock file is removed', () => {
  test('ends itself rather than share, and one comes after it', async () => {
    const before = await exactlyOne()
    await inside(`rm ${HOME}/coordinator.lock`)
    await until('it is gone', async () => !(await isAlive(instance, before.pid)))
    expect((await exactlyOne()).epoch).toBeGreaterThan(before.epoch)
    expect(await parentLog(instance)).toContain('has lost its instance and ends: the lock file was removed or replaced')
  })

  test('while it is stopped does nothing when it wakes: its requests are done by the successor, once', async () => {
    const old = await exactlyOne()
    await signal(instance, 'STOP', old.pid)
    // Its socket takes the request, for later.
    const asked = instance.exec(['spawn', '--detach', '--json', '-n', 'late', project, '--', 'sleep', '300'])
    await until('it is sent', async () => (await inside('grep -c control.sock /proc/net/unix || true')) !== '1')
    await inside(
      `echo '{ "enforceSingleDaemonProcess": false }' >${HOME}/config/hal9000.json; rm ${HOME}/coordinator.lock`,
    )
    await startByHand(instance)
    const successor = await untilHealthy(instance)
    expect(successor.epoch).toBeGreaterThan(old.epoch)
    expect(new Set((await daemons(instance)).map(({ pid }) => pid))).toEqual(new Set([old.pid, successor.pid]))
    expect(await instance.list()).toEqual([])

    await signal(instance, 'CONT', old.pid)
    await until('it is gone', async () => !(await isAlive(instance, old.pid)), 5_000)
    expect(await asked).toMatchObject({ code: 0 })
    expect(await instance.list()).toMatchObject([{ name: 'late', state: 'running' }])
    expect(await instance.workerContainers()).toHaveLength(1)
    const events = await instance.exec(['coordinator', 'events', '-n', '1000'])
    expect(events.stdout.match(/worker-queued {2}late/g)).toHaveLength(1)
    // The old one's socket is not taken away by its end.
    expect(await untilHealthy(instance)).toEqual(successor)
    await instance.stopAll()
    await inside(`rm ${HOME}/config/hal9000.json`)
    await signal(instance, 'TERM', successor.pid)
    await until('it is gone', async () => !(await isAlive(instance, successor.pid)))
    await exactlyOne()
  }, 120_000)

  test('while it is stopped is ended by its successor, where that is enforced', async () => {
    await daemon('stop')
    await startByHand(instance)
    const old = await untilHealthy(instance)
    await signal(instance, 'STOP', old.pid)
    await inside(`rm ${HOME}/coordinator.lock`)
    expect(await daemonStatus(instance)).toMatchObject({
      state: 'stale',
      because: `process ${old.pid} holds a lock file that was removed`,
    })
    expect(await daemon('start')).toMatchObject({ code: 0 })
    expect(await isAlive(instance, old.pid)).toBe(false)
    await exactlyOne()
  }, 120_000)
})

test('a state directory that is emptied under a running coordinator: it ends, and the next one goes on above it', async () => {
  const before = await exactlyOne()
  await inside(`cd ${HOME} && rm -r $(ls -A | grep -v redis)`)
  // Redis still knows the epoch: the first successor finds that it has begun too low, and makes way.
  await until('one above it', async () => (await untilHealthy(instance)).epoch > before.epoch)
  await exactlyOne()
  expect(await instance.exec(['spawn', '-n', 'after', project, '--', 'echo', 'well'])).toMatchObject({
    stdout: 'well\n',
  })
  expect(await instance.exec(['coordinator', 'logs', 'after'])).toMatchObject({ stdout: 'well\n' })
})

describe('the epoch', () => {
  test('goes on above what Redis knows when the state directory has lost it', async () => {
    await daemon('stop')
    await redis('set', epochKey(), '4000')
    await inside(`rm -f ${HOME}/epoch`)
    await daemon('start')
    await until('it is above', async () => (await untilHealthy(instance)).epoch === 4001)
    await until('it is in Redis', async () => (await redis('get', epochKey())) === '4001')
    expect(await inside(`cat ${HOME}/epoch`)).toBe('4001')
    await exactlyOne()
  })

  test('that is greater in Redis ends a coordinator for good: the other one keeps what it took', async () => {
    const before = await exactlyOne()
    await redis('set', epochKey(), '5000')
    await until('it is gone', async () => !(await isAlive(instance, before.pid)))
    await until('it is kept down', async () => {
      const { state, because } = await daemonStatus(instance)
      return state === 'stale' && because.endsWith('ended with exit code 10 and is not started again')
    })
    expect(await parentLog(instance)).toContain('Redis knows epoch 5000')
    expect(await redis('get', epochKey())).toBe('5000')
    expect(await daemons(instance)).toEqual([])
    expect(await daemon('start')).toMatchObject({ code: 0 })
    await until('it is above', async () => (await untilHealthy(instance)).epoch === 5001)
    expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
  })

  test('is put into an emptied Redis again', async () => {
    const { epoch } = await exactlyOne()
    await redis('flushall')
    await until('it is there', async () => (await redis('get', epochKey())) === String(epoch))
    expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
    expect(await exactlyOne()).toMatchObject({ epoch })
  })
})
