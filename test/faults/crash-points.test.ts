import { afterAll, beforeAll, expect, test } from 'vitest'
import { daemons, daemonStatus, HOME, isAlive, startByHand, untilHealthy } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { signal } from '../support/processes.ts'
import { until } from '../support/run.ts'
import { type Fault, WHENS } from './fault.ts'
import { life } from './life.ts'
import { arm, boundaries, disarm, faultyParent } from './faulty-parent.ts'

const LONG = Boolean(process.env['HAL9000_LONG'])
/** How often the coordinator is killed at each place; in the short form once, at one of the three places of each boundary. */
const TIMES = LONG ? 25 : 1
/** Deployments side by side: most of the time one waits. */
const AT_ONCE = LONG ? 4 : 2

let grounds: Ground[]

/** A deployment whose coordinator can be killed at every boundary, and a project. */
type Ground = { instance: Instance; project: string }
/** Where it is killed, and a name of that. */
type Place = Fault & { id: string }

/** Longer than the lock of a job lasts, and than Redis is asked without being looked at anew. Milliseconds. */
const STALL = 7_000
/** Where a stall is tried in the short form. */
const STALLS = [
  'docker POST /containers/create',
  'docker POST /containers/ID/start',
  'redis moveToFinished',
  'file rename sessions',
]

beforeAll(async () => {
  const faulty = await faultyParent()
  grounds = await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      // What ended long ago would only be read again at each start.
      const instance = await Instance.up({ ...faulty, HAL9000_KEEP_RECORDS: '20' })
      return { instance, project: await instance.project('work') }
    }),
  )
})
afterAll(() => Promise.all(grounds.map(({ instance }) => instance.down())))

const first = (): Ground => {
  const [ground] = grounds
  if (ground === undefined) throw new Error('there is no deployment')
  return ground
}

test(
  'kill -9 of the coordinator at every boundary: nothing is lost, nothing happens twice, nothing is left over',
  async () => {
    const { instance, project } = first()
    // The first finds out what is remembered from then on, and is no boundary any more.
    expect(await Promise.all(grounds.map((ground) => life(ground.instance, ground.project, 'first')))).toEqual(
      grounds.map(() => []),
    )
    const names = await boundaries(instance, async () => expect(await life(instance, project, 'trace')).toEqual([]))
    expect(names).toEqual(
      expect.arrayContaining(['docker POST /containers/create', 'redis moveToFinished', 'file rename sessions']),
    )
    expect(await killedAt(names, async ({ instance, project }, { id }) => await life(instance, project, id))).toEqual(
      [],
    )
  },
  4 * 3_600_000,
)

test(
  'kill -9 of a coordinator at every boundary of its start: the next one comes up, and what ran runs on',
  async () => {
    const { instance } = first()
    const ids = await Promise.all(
      grounds.map(({ instance, project }) => instance.spawn(['-n', 'stays', project, '--', 'sleep', '100000'])),
    )
    const restart = (instance: Instance) => instance.exec(['coordinator', 'daemon', 'restart'])
    const names = await boundaries(instance, async () => expect((await restart(instance)).code).toBe(0))
    expect(names).toEqual(expect.arrayContaining(['redis eval', 'docker GET /containers/json']))
    const wrong = await killedAt(names, async ({ instance, project }, { id }) => {
      await restart(instance)
      await untilHealthy(instance)
      const ran = await instance.exec(['spawn', '-n', id, project, '--', 'echo', id])
      const running = (await instance.list()).map(({ name, state }) => `${name} ${state}`)
      const seen = [ran.code, ran.stdout, running]
      const right = JSON.stringify(seen) === JSON.stringify([0, `${id}\n`, ['stays running']])
      return [...(right ? [] : [JSON.stringify(seen)]), ...(await severalLeft(instance))]
    })
    expect(wrong).toEqual([])
    expect((await instance.list()).map(({ id }) => id)).toEqual([ids[0]?.worker.id])
    await Promise.all(grounds.map(({ instance }) => instance.stopAll()))
  },
  2 * 3_600_000,
)

test(
  'a coordinator that is stopped at a boundary for longer than its lock lasts, and goes on: nothing happens twice',
  async () => {
    const { instance, project } = first()
    const work = async (): Promise<void> => expect(await life(instance, project, 'trace2')).toEqual([])
    const names = LONG ? await boundaries(instance, work) : STALLS
    const whens = LONG ? WHENS : (['inside'] as const)
    const places = names.flatMap((at) => whens.map((when): Place => ({ at, when, signal: 'SIGSTOP', id: '' })))
    const wrong = await befallen(places, async ({ instance, project }, { at, when }) => {
      const [seen] = await Promise.all([
        life(instance, project, `stall-${names.indexOf(at)}-${when}`),
        (async () => {
          const stopped = async () => (await daemons(instance)).find(({ state }) => state === 'T')
          const { pid } = await until('it has stopped', stopped, 60_000)
          await new Promise((resolve) => setTimeout(resolve, STALL))
          await signal(instance, 'CONT', pid)
        })(),
      ])
      return seen
    })
    expect(wrong).toEqual([])
  },
  2 * 3_600_000,
)

test('kill -9 of a coordinator before and after the signal to a predecessor that has lost its lock: one is left', async () => {
  const { instance } = first()
  for (const [at, when] of [
    ['signal SIGTERM', 'before'],
    ['signal SIGTERM', 'after'],
    ['signal SIGCONT', 'before'],
    ['signal SIGCONT', 'after'],
  ] as const) {
    await instance.exec(['coordinator', 'daemon', 'stop'])
    await startByHand(instance)
    const old = await untilHealthy(instance)
    await signal(instance, 'STOP', old.pid)
    await instance.exec(['rm', `${HOME}/coordinator.lock`])
    await arm(instance, { at, when, signal: 'SIGKILL' })
    await instance.exec(['coordinator', 'daemon', 'start'])
    await until('another one is the owner', async () => (await daemonStatus(instance)).owner?.epoch !== old.epoch)
    const owner = await untilHealthy(instance)
    expect([at, when, await disarm(instance)]).toEqual([at, when, true])
    await until('the old one is gone', async () => !(await isAlive(instance, old.pid)), 30_000)
    expect((await daemons(instance)).map(({ pid }) => pid)).toEqual([owner.pid])
  }
}, 600_000)

/** What is wrong unless one coordinator is left. It may be killed as late as now, and the next one be on its way. */
async function severalLeft(instance: Instance): Promise<string[]> {
  const pids = async (): Promise<number[]> => (await daemons(instance)).map(({ pid }) => pid)
  const one = async (): Promise<boolean> => {
    const { pid } = await untilHealthy(instance)
    return (await pids()).join() === String(pid)
  }
  return await until('one is left', one).then(
    () => [],
    async () => [`coordinators: ${(await pids()).join(' ')}`],
  )
}

/** The coordinator is killed at each place of these boundaries while the work is done; what was not as it should be. */
async function killedAt(names: readonly string[], work: Work): Promise<string[]> {
  const places = Array.from({ length: TIMES }, (_, time) =>
    names.flatMap((at, index) => {
      const whens = LONG ? WHENS : WHENS.slice(index % 3, (index % 3) + 1)
      return whens.map((when): Place => ({ at, when, signal: 'SIGKILL', id: `t${time}-${index}-${when}` }))
    }),
  )
  return await befallen(places.flat(), work)
}

type Work = (ground: Ground, place: Place) => Promise<string[]>

/** A fault at each place, each while the work is done once. */
async function befallen(places: readonly Place[], work: Work): Promise<string[]> {
  const left = [...places]
  const wrong: string[] = []
  let faults = 0
  await Promise.all(
    grounds.map(async (ground) => {
      for (let place = left.shift(); place !== undefined; place = left.shift()) {
        await arm(ground.instance, place)
        const seen = await work(ground, place)
        if (await disarm(ground.instance)) faults += 1
        else seen.push('the fault never happened')
        for (const what of seen) {
          wrong.push(`${place.at}, ${place.when}: ${what}`)
          process.stderr.write(`${new Date().toISOString()} ${wrong.at(-1)}\n`)
        }
      }
    }),
  )
  const names = new Set(places.map(({ at }) => at))
  process.stderr.write(
    `${names.size} boundaries, ${faults} of ${places.length} faults (${places[0]?.signal}), ${wrong.length} deviations\n`,
  )
  return wrong
}
