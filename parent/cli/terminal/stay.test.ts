import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { run } from '../program.ts'
import {
  endedDetail,
  json,
  NOT_READY,
  refuse,
  testCoordinator,
  worker,
  type Seen,
} from '../testing/test-coordinator.ts'
import { testWorld, type TestWorld } from '../testing/test-world.ts'
import { coordinatorVerbs } from '../verbs.ts'

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: hal9000-terminal\r\n\r\n'
const RELAY = ['attach', 'w1', '--relay', 'attach-id-1', '--columns', '90', '--rows', '20']
const WORDS = 'The coordinator is being stopped or restarted; worker "w1" keeps running.'

/** What one coordinator after the other answers: to the announcement, on the connection, and how it ended. */
type Turn = {
  announced?: (response: ServerResponse) => void
  session?: (socket: Duplex) => void
  outcome?: object | null
}

/** Attaches, against coordinators that go one after the other; each announcement is the next one's. */
async function attached(world: TestWorld, argv: readonly string[], turns: readonly Turn[]) {
  let count = 0
  const turn = (): Turn => turns[count - 1] ?? {}
  const answer = (seen: Seen, response: ServerResponse): void => {
    if (seen.path.endsWith('/attach')) {
      count += 1
      if (turn().announced) turn().announced?.(response)
      else json(response, { worker: worker() })
    } else if (seen.path.endsWith('/size')) json(response, {})
    else if (seen.path.endsWith('/outcome') && turn().outcome) json(response, turn().outcome ?? {})
    else if (seen.path === '/v1/workers/r-request-1') json(response, endedDetail(7))
    else refuse(response, 404, { code: 'not-found', exitCode: 5, message: 'Unknown.' })
  }
  await using server = await testCoordinator(answer, (_, socket) => {
    socket.write(SWITCHING)
    turn().session?.(socket)
  })
  Object.assign(world.env, { HAL9000_SOCKET: server.socketPath })
  const code = await run('coordinator', coordinatorVerbs, world, argv)
  return { code, seen: server.seen }
}

const LEFT = { outcome: 'coordinator-left', worker: worker() }
const DETACHED = { outcome: 'detached', worker: worker() }

test('where the coordinator leaves the next one is attached to, by the request and under the same id', async () => {
  const world = testWorld({}, true)
  let typed = ''
  const { code, seen } = await attached(
    world,
    ['attach', 'w1'],
    [
      { session: (socket) => socket.end('one'), outcome: LEFT },
      {
        announced: (response) => {
          world.stdin.write('typed ')
          Object.assign(world.stdout, { columns: 70, rows: 15 })
          setTimeout(() => json(response, { worker: worker() }), 30)
        },
        session: (socket) => {
          socket.on('data', (chunk: Buffer) => {
            typed += chunk.toString()
            if (typed === 'typed meanwhile') socket.end()
          })
          // Nothing is typed to a session that has not shown itself.
          setTimeout(() => socket.write(`two<${typed}>`), 30)
          setTimeout(() => world.stdin.write('meanwhile'), 60)
        },
        outcome: DETACHED,
      },
    ],
  )
  expect([code, typed]).toEqual([0, 'typed meanwhile'])
  expect(world.out().replaceAll('\u001b[5n', '')).toBe(`one${WORDS}\r\nAttaching again; Ctrl-C leaves.\r\ntwo<>`)
  expect(world.err()).toContain('Detached.')
  expect(world.stdin.raw.at(-1)).toBe(false)
  expect(world.signals.eventNames()).toEqual([])
  const announced = seen.filter(({ path }) => path.endsWith('/attach'))
  expect(announced.map(({ path }) => path)).toEqual(['/v1/workers/w1/attach', '/v1/workers/r-request-1/attach'])
  expect(announced[1]?.body).toEqual(announced[0]?.body)
  expect(seen.filter(({ path }) => path.endsWith('/size'))).toMatchObject([{ body: { columns: 70, rows: 15 } }])
})

test('so it is where the coordinator died, and the terminal it left in the middle is put in order', async () => {
  const world = testWorld()
  const turns = [
    { session: (socket: Duplex) => socket.end('one'), outcome: null },
    { session: (socket: Duplex) => socket.end('two'), outcome: { outcome: 'ended', ...endedDetail(5) } },
  ]
  const { code } = await attached(world, RELAY, turns)
  expect(code).toBe(5)
  // In this order, or the words would be cleared away with the screen.
  expect(world.out()).toMatch(/^one\u001b\[\?1049l.*The coordinator went away; worker "w1" keeps running\.\r\n.*two$/s)
})

test('a launcher that could tell its size to nobody is asked for it', async () => {
  const world = testWorld()
  let asked = false
  world.stdout.on('data', (chunk: Buffer) => {
    if (asked || !chunk.toString().includes('\u001b[6n')) return
    asked = true
    world.stdin.write('a\u001b[15;')
    world.stdin.write('70Rb')
  })
  let typed = ''
  const { seen } = await attached(world, RELAY, [
    { session: (socket) => socket.end(), outcome: LEFT },
    {
      session: (socket) => {
        socket.on('data', (chunk: Buffer) => {
          typed += chunk.toString()
          if (typed === 'ab') socket.end()
        })
        socket.write('two')
      },
      outcome: DETACHED,
    },
  ])
  expect(typed).toBe('ab')
  expect(seen.filter(({ path }) => path.endsWith('/size'))).toMatchObject([
    { path: '/v1/attachments/attach-id-1/size', body: { columns: 70, rows: 15 } },
  ])
})

test.each([
  ['Ctrl-C', (world: TestWorld) => void world.stdin.write('x\u0003')],
  ['the end of the terminal', (world: TestWorld) => void world.stdin.end()],
  ['SIGTERM', (world: TestWorld) => void world.signals.emit('SIGTERM')],
])('%s leaves while nobody is there to attach to', async (_what, leave) => {
  const world = testWorld({}, true)
  const { code, seen } = await attached(
    world,
    ['attach', 'w1'],
    [
      { session: (socket) => socket.end(), outcome: LEFT },
      { announced: (response) => (refuse(response, 503, NOT_READY), leave(world)) },
    ],
  )
  expect(code).toBe(0)
  expect(world.err()).toContain('Detached. Worker "w1" keeps running.')
  expect(world.stdin.raw.at(-1)).toBe(false)
  expect(seen.filter(({ path }) => path.endsWith('/attach'))).toHaveLength(2)
})

test('a session that ended meanwhile is not waited for', async () => {
  const error = { code: 'wrong-state', exitCode: 9, message: 'Worker "w1" has ended.' } as const
  const { code, seen } = await attached(testWorld({}, true), RELAY, [
    { session: (socket) => socket.end(), outcome: LEFT },
    { announced: (response) => refuse(response, 409, error) },
  ])
  expect(code).toBe(7)
  expect(seen.filter(({ path }) => path.endsWith('/attach'))).toHaveLength(2)
})

test('whoever left in that moment has left', async () => {
  const world = testWorld({}, true)
  const session = (socket: Duplex): void => {
    socket.on('data', () => {}).on('end', () => socket.end())
    setTimeout(() => world.signals.emit('SIGHUP'), 30)
  }
  const { code, seen } = await attached(world, ['attach', 'w1'], [{ session, outcome: null }])
  expect(code).toBe(0)
  expect(seen.filter(({ path }) => path.endsWith('/attach'))).toHaveLength(1)
})

test('coordinators that go again and again are given up', async () => {
  const world = testWorld({}, true)
  let now = 0
  const { code } = await attached(
    Object.assign(world, { now: () => (now += 1_000) }),
    ['attach', 'w1'],
    Array.from({ length: 99 }, () => ({ session: (socket: Duplex) => socket.end(), outcome: LEFT })),
  )
  expect(code).toBe(4)
  expect(world.err()).toContain('The coordinator goes again and again. Worker "w1" keeps running.')
})

test.each([
  [LEFT, 'The coordinator is being stopped or restarted, and has hung up on what was run.'],
  [null, 'The coordinator went away, and it is not known what became of what was run.'],
])('a shell is not opened again: that is told, with 125', async (outcome, words) => {
  const world = testWorld({}, true)
  const { code, seen } = await attached(world, ['shell', 'w1'], [{ session: (socket) => socket.end(), outcome }])
  expect(code).toBe(125)
  expect(world.err()).toContain(`${words} Worker "w1" is not affected.\nNext: coordinator inspect w1\n`)
  expect(seen.filter(({ path }) => path.endsWith('/attach'))).toHaveLength(1)
})
