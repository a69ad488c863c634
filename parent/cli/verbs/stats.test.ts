import { expect, test } from 'vitest'
import { coordinator } from '../testing/coordinator-command.ts'
import { json, refuse, workerStats, type Answer } from '../testing/test-coordinator.ts'
import { testWorld, type TestWorld } from '../testing/test-world.ts'

const AT = '2030-01-01T00:00:00.000Z'

/** Each of its workers runs for so many samples. */
function running(samples: Record<string, number>): Answer {
  const left = new Map(Object.entries(samples))
  return (seen, response) => {
    const [, , , ref] = seen.path.split('/')
    const name = ref?.replace(/^r-/, '')
    const asked = name === undefined ? [...left.keys()] : [name]
    const workers = asked.filter((one) => (left.get(one) ?? 0) > 0)
    for (const one of workers) left.set(one, (left.get(one) ?? 0) - 1)
    if (name !== undefined && workers.length === 0) {
      refuse(response, 409, { code: 'wrong-state', exitCode: 9, message: `Worker "${name}" has ended.` })
    } else json(response, { at: AT, workers: workers.map((one) => workerStats({ name: one, request: `r-${one}` })) })
  }
}

/** A world in which the time of the next sample has always come. */
function hastyWorld(terminal = false): TestWorld {
  let now = 0
  return Object.assign(testWorld({}, terminal), { now: () => (now += 60_000) })
}

test('all that run, once, as a table or as one object', async () => {
  const { code, out, seen } = await coordinator(['stats'], running({ w1: 1, w2: 1 }))
  expect(code).toBe(0)
  expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['NAME', 'w1', 'w2', ''])
  expect(seen.map(({ path }) => path)).toEqual(['/v1/stats'])
  const object = await coordinator(['stats', '--json'], running({ w1: 1 }))
  expect(JSON.parse(object.out)).toEqual({
    schemaVersion: 1,
    at: AT,
    workers: [workerStats({ name: 'w1', request: 'r-w1' })],
  })
})

test('by name, and one that does not run is refused', async () => {
  const { out, seen } = await coordinator(['stats', 'w2', 'w1', 'w2', '--json'], running({ w1: 1, w2: 1 }))
  expect(JSON.parse(out).workers.map(({ name }: { name: string }) => name)).toEqual(['w2', 'w1'])
  expect(seen.map(({ path }) => path).toSorted()).toEqual(['/v1/workers/w1/stats', '/v1/workers/w2/stats'])
  const refused = await coordinator(['stats', 'w1', 'w2'], running({ w1: 1 }))
  expect(refused).toMatchObject({ code: 9, out: '', err: 'Worker "w2" has ended.\n' })
})

test('--follow goes on with the same workers until they have ended', async () => {
  const { code, out, seen } = await coordinator(
    ['stats', 'w1', 'w2', '-f', '--json'],
    running({ w1: 3, w2: 1 }),
    hastyWorld(),
  )
  expect(code).toBe(0)
  const lines = out.trim().split('\n')
  const named = lines.map((line) => JSON.parse(line).workers.map(({ name }: { name: string }) => name))
  expect(named).toEqual([['w1', 'w2'], ['w1'], ['w1']])
  expect(seen.slice(2).map(({ path }) => path)).toContain('/v1/workers/r-w1/stats')
})

test('--follow draws on an empty screen of a terminal, and below the table before elsewhere', async () => {
  const off = await coordinator(['stats', 'w1', '-f'], running({ w1: 2 }), hastyWorld())
  expect(off.out).toMatch(/^NAME.*\nw1.*\n\nNAME.*\nw1.*\n$/)
  const on = await coordinator(['stats', 'w1', '-f'], running({ w1: 2 }), hastyWorld(true))
  expect(on.out).toMatch(/^\u001b\[H\u001b\[JNAME.*\nw1.*\n\u001b\[H\u001b\[JNAME.*\nw1.*\n$/)
  expect((await coordinator(['stats', 'w1'], running({ w1: 1 }), testWorld({}, true))).out).toMatch(/^NAME/)
})

test('--follow ends where something is wrong', async () => {
  let asked = 0
  const { code, err } = await coordinator(
    ['stats', '-f'],
    (_, response) => {
      asked += 1
      if (asked < 3) json(response, { at: AT, workers: [] })
      else refuse(response, 502, { code: 'engine-unreachable', exitCode: 3, message: 'Docker is away.' })
    },
    hastyWorld(),
  )
  expect([code, err, asked]).toEqual([3, 'Docker is away.\n', 3])
})
