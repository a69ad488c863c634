import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CoordinatorEvent } from '../../coordinator/contract/event.ts'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

const COORDINATOR = '/run/hal9000/service/coordinator'
const redis = (...words: string[]): string[] => ['redis-cli', '-s', '/run/hal9000/redis/redis.sock', ...words]
const key = (): string => `hal9000:${instance.name}:events`

test('a follower sees thirty workers come and go over three kill -9 of the coordinator: all, once, in order', async () => {
  await using follower = await follow('--tail', '0')
  const spawns = instance.exec(
    ['sh', '-c', 'seq 30 | xargs -P 5 -I{} spawn -d --no-tty -n short-{} "$0" -- sh -c "exit 3"', project],
    { timeout: 120_000 },
  )
  for (const enough of [3, 12, 21]) {
    await until(
      `${enough} are ready`,
      async () => (await follower.seen()).filter(({ kind }) => kind === 'worker-ready').length >= enough,
      60_000,
    )
    await kill('coordinator')
  }
  expect(await spawns).toMatchObject({ code: 0 })
  const ends = (events: CoordinatorEvent[]): CoordinatorEvent[] => events.filter(({ kind }) => kind === 'worker-ended')
  const seen = await until(
    'all ends are told',
    async () => {
      const events = await follower.seen()
      return ends(events).length >= 30 && events
    },
    60_000,
  )
  expect(seen.map(({ id }) => id)).toEqual(ascending(seen))
  const names = Array.from({ length: 30 }, (_, index) => `short-${index + 1}`).sort()
  for (const kind of ['worker-ready', 'worker-ended']) {
    expect(
      seen
        .filter((event) => event.kind === kind)
        .map(({ worker }) => worker ?? '')
        .sort(),
    ).toEqual(names)
  }
  expect(ends(seen).map(({ exit }) => exit)).toEqual(
    names.map(() => ({ reason: 'exited', exitCode: 3, signal: null, oomKills: 0, pidsLimitHits: 0 })),
  )
  // Whoever reads it all afterwards reads the same.
  expect((await instance.events()).filter(({ id }) => seen.some((event) => event.id === id))).toEqual(seen)
}, 240_000)

test('what a coordinator could not tell any more is told by the next one: once, and never what was told before', async () => {
  const { worker } = await instance.spawn(['-n', 'untold', project, '--', 'true'])
  await instance.ended(worker.request)
  const told = await until('both are told', async () => {
    const events = (await instance.events(worker.request)).filter(({ kind }) => /ready|ended/.test(kind))
    return events.length === 2 && events
  })
  const all = await instance.events()
  await instance.exec(['s6-svc', '-wD', '-d', COORDINATOR])
  // As if it had died between the record and the log.
  await instance.exec(redis('XDEL', key(), ...told.map(({ id }) => id)))
  await instance.exec(['s6-svc', '-u', COORDINATOR])
  const last = all.at(-1)?.id ?? ''
  const fresh = await until('the coordinator has started', async () => {
    const events = await after(last)
    return events.some(({ kind }) => kind === 'coordinator-started') && events
  })
  expect(fresh.filter(({ request }) => request !== null)).toEqual(
    told.map((event) => ({
      ...event,
      id: expect.any(String),
      at: expect.stringContaining(event.at.slice(0, 16)),
      ...(event.kind === 'worker-ready' ? { message: 'ready' } : {}),
    })),
  )
  await restart()
  expect((await after(fresh.at(-1)?.id ?? '')).filter(({ request }) => request !== null)).toEqual([])
}, 60_000)

test.each([
  ['trimmed', ['XTRIM', 'MAXLEN', '1']],
  ['emptied', ['DEL']],
])('of a log that was %s nothing old is told again', async (_what, [command = '', ...options]) => {
  const { worker } = await instance.spawn(['-n', `old-${command}`, project, '--', 'true'])
  await instance.ended(worker.request)
  await until('its end is told', async () => (await instance.events(worker.request)).at(-1)?.kind === 'worker-ended')
  await instance.exec(['s6-svc', '-wD', '-d', COORDINATOR])
  await instance.exec(redis(command, key(), ...options))
  await instance.exec(['s6-svc', '-u', COORDINATOR])
  await until('it has started', async () => (await instance.events()).at(-1)?.kind === 'coordinator-started')
  const about = (await instance.events()).filter(({ request }) => request !== null)
  expect(about).toEqual([])
  // And again: now the log has a beginning.
  await restart()
  expect((await instance.events()).filter(({ request }) => request !== null)).toEqual([])
})

test('--after gives what came after an event; with -f also what comes', async () => {
  const { worker: one } = await instance.spawn(['-n', 'one', project, '--', 'true'])
  const [first] = await instance.events(one.request)
  await using follower = await follow('--after', first?.id ?? '')
  const { worker: two } = await instance.spawn(['-n', 'two', project, '--', 'true'])
  const of = (events: CoordinatorEvent[], request: string): string[] =>
    events.filter((event) => event.request === request).map(({ kind }) => kind)
  await until('both ends are followed', async () => {
    const seen = await follower.seen()
    return [one, two].every(({ request }) => of(seen, request).at(-1) === 'worker-ended')
  })
  for (const events of [await follower.seen(), await after(first?.id ?? '')]) {
    expect(of(events, one.request)).toEqual(['worker-ready', 'worker-ended'])
    expect(of(events, two.request)).toEqual(['worker-queued', 'worker-ready', 'worker-ended'])
  }
  const refused = await instance.exec(['coordinator', 'events', '--after', 'yesterday'])
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--after: is not the id of an event') })
})

test('a Redis that does not answer is what `events` says; what happens meanwhile is told once, later', async () => {
  await using follower = await follow('--tail', '0')
  const { worker } = await instance.spawn(['-n', 'stuck', project, '--', 'sleep', '1000'])
  await until('it is followed', async () => (await follower.seen()).some(({ kind }) => kind === 'worker-ready'))
  await kill('redis', 'STOP')
  await instance.exec(['coordinator', 'stop', 'stuck'])
  // By the time this gives up the coordinator has given up, too, to wait for Redis to take the event: it may have it or not.
  const refused = await instance.exec(['coordinator', 'events', '--json'])
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: { code: 'not-ready', exitCode: 4, message: expect.stringContaining('Redis does not answer') },
  })
  expect(refused.code).toBe(4)
  await kill('redis', 'CONT')
  const kinds = await until('its end is told', async () => {
    const seen = (await follower.seen()).filter(({ request }) => request === worker.request)
    return seen.some(({ kind }) => kind === 'worker-ended') && seen.map(({ kind }) => kind)
  })
  const told = ['worker-queued', 'worker-ready', 'worker-stopping', 'worker-ended']
  expect(kinds).toEqual(told)
  expect((await instance.events(worker.request)).map(({ kind }) => kind)).toEqual(told)
}, 120_000)

type Follower = AsyncDisposable & { seen: () => Promise<CoordinatorEvent[]> }

/** `events -f` in the parent, from before what comes next. */
async function follow(...options: string[]): Promise<Follower> {
  const file = `/tmp/followed-${Date.now()}`
  const script = `coordinator events -f --json "$@" >${file} & echo $!`
  const pid = Number((await instance.exec(['bash', '-c', script, 'follow', ...options])).stdout)
  const connected = ['sh', '-c', `ls -l /proc/${pid}/fd | grep -c socket || :`]
  await until('it is connected', async () => Number((await instance.exec(connected)).stdout) > 0)
  return {
    seen: async () => parsed((await instance.exec(['cat', file])).stdout),
    [Symbol.asyncDispose]: () => signal(instance, 'TERM', pid),
  }
}

async function after(id: string): Promise<CoordinatorEvent[]> {
  return parsed((await instance.exec(['coordinator', 'events', '--after', id, '--json'])).stdout)
}

/** A line may be under way. */
function parsed(text: string): CoordinatorEvent[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as CoordinatorEvent)
}

/** The ids of events as they must be: each of them once, rising. Ids are "milliseconds-sequence". */
function ascending(events: readonly CoordinatorEvent[]): string[] {
  const parts = (id: string): [number, number] => {
    const [time = 0, sequence = 0] = id.split('-').map(Number)
    return [time, sequence]
  }
  return [...new Set(events.map(({ id }) => id))].sort((a, b) => {
    const [one, other] = [parts(a), parts(b)]
    return one[0] - other[0] || one[1] - other[1]
  })
}

async function kill(name: 'coordinator' | 'redis', what = 'KILL'): Promise<void> {
  const main = await until(`${name} is up`, () => service(instance, name))
  await signal(instance, what, main.pid)
}

/** In order, and until it has told that it is there. */
async function restart(): Promise<void> {
  const last = (await instance.events()).at(-1)?.id ?? ''
  await instance.exec(['s6-svc', '-wR', '-r', COORDINATOR])
  await until('it has started', async () => (await after(last)).some(({ kind }) => kind === 'coordinator-started'))
}
