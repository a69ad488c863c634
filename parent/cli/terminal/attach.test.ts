import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { encodeFrame } from '../../../coordinator/contract/frames.ts'
import { run } from '../program.ts'
import {
  endedDetail,
  json,
  refuse,
  testCoordinator,
  worker,
  type Answer,
  type Seen,
} from '../testing/test-coordinator.ts'
import { testWorld, type TestWorld } from '../testing/test-world.ts'
import { coordinatorVerbs } from '../verbs.ts'

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: hal9000-terminal\r\n\r\n'
const RELAY = ['attach', 'r-request-1', '--relay', 'attach-id-1', '--columns', '90', '--rows', '20', '--term', 'screen']

type Session = { answer?: Answer; upgrade: (socket: Duplex, seen: Seen) => void; outcome: object | undefined }

/** Runs one attach against a coordinator whose end of the connection is `upgrade`. */
async function attached(world: TestWorld, argv: string[], session: Session): Promise<{ code: number; seen: Seen[] }> {
  const answer: Answer = (seen, response) => {
    if (seen.method === 'POST') json(response, { worker: worker() })
    else if (seen.path.endsWith('/outcome') && session.outcome) json(response, session.outcome)
    else if (session.answer) void session.answer(seen, response)
    else refuse(response, 404, { code: 'not-found', exitCode: 5, message: 'Unknown.' })
  }
  await using coordinator = await testCoordinator(answer, (seen, socket) => session.upgrade(socket, seen))
  Object.assign(world.env, { HAL9000_SOCKET: coordinator.socketPath })
  return { code: await run('coordinator', coordinatorVerbs, world, argv), seen: coordinator.seen }
}

test("relay: bytes go both ways as they are, and the exit code is the command's", async () => {
  const world = testWorld()
  const got: Buffer[] = []
  const { code, seen } = await attached(world, RELAY, {
    outcome: { outcome: 'ended', ...endedDetail(7) },
    upgrade: (socket) => {
      // The first bytes in one piece with the head: they must not be lost.
      socket.write(`${SWITCHING}hello\r\n`)
      socket.on('data', (chunk: Buffer) => {
        got.push(chunk)
        socket.end('\u001b[0nbye')
      })
      world.stdin.write(Buffer.from([0x1b, 0x5b, 0x30, 0x6e, 0xff, 0x03]))
    },
  })
  expect(code).toBe(7)
  expect(Buffer.concat(got)).toEqual(Buffer.from([0x1b, 0x5b, 0x30, 0x6e, 0xff, 0x03]))
  expect(world.out()).toBe('hello\r\n\u001b[0nbye')
  expect(world.err()).toBe('The session of worker "w1" is over. Its output: coordinator logs w1\r\n')
  expect(seen[0]).toMatchObject({
    method: 'POST',
    path: '/v1/workers/r-request-1/attach',
    body: { enter: 'session', id: 'attach-id-1', terminal: { columns: 90, rows: 20, term: 'screen' } },
  })
  expect(seen.slice(1).map(({ method, path }) => [method, path])).toEqual([
    ['GET', '/v1/attachments/attach-id-1'],
    ['GET', '/v1/attachments/attach-id-1/outcome'],
  ])
})

test('relay: the end of our input detaches, and the message suits a raw terminal', async () => {
  const world = testWorld()
  const { code } = await attached(world, RELAY, {
    outcome: { outcome: 'detached', worker: worker() },
    upgrade: (socket) => {
      socket.write(SWITCHING)
      // As the coordinator does: the client's end is answered with ours.
      socket.on('data', () => {}).on('end', () => socket.end('goodbye'))
      world.stdin.end('last words')
    },
  })
  expect(code).toBe(0)
  expect(world.out()).toBe('goodbye')
  expect(world.err()).toBe('Detached. Worker "w1" keeps running. Attach with: coordinator attach w1\r\n')
})

test('relay: a handed over command that has ended meanwhile shows its output and exit code', async () => {
  const world = testWorld()
  const { code } = await attached(world, RELAY, {
    outcome: undefined,
    upgrade: (socket) => socket.end(refusal('wrong-state', 9)),
    answer: (seen, response) => {
      if (seen.path.endsWith('/logs')) response.end(encodeFrame({ output: 'stdout', data: Buffer.from('done\r\n') }))
      else json(response, { ...endedDetail(3), worker: worker({ state: 'ended' }) })
    },
  })
  expect(code).toBe(3)
  expect(world.out()).toBe('done\r\n')
})

test('a terminal is raw while attached, is asked how it is, and is given back', async () => {
  const world = testWorld({}, true)
  let typed = ''
  let alone = ''
  const { code } = await attached(world, ['attach', 'w1'], {
    outcome: { outcome: 'detached', worker: worker() },
    upgrade: (socket) => {
      socket.write(SWITCHING)
      socket.on('data', (chunk: Buffer) => {
        typed += chunk.toString()
        if (typed.endsWith('q')) socket.end('screen')
      })
      setTimeout(() => world.stdin.write('a\u001b[0nb'), 30)
      setTimeout(() => world.stdin.write('\u001b'), 60)
      setTimeout(() => {
        alone = typed
        world.stdin.write('q')
      }, 200)
    },
  })
  expect(code).toBe(0)
  expect(alone).toBe('ab\u001b')
  expect(typed).toBe('ab\u001bq')
  expect(world.out()).toBe('\u001b[5nscreen')
  expect(world.stdin.raw).toEqual([true, false])
  expect(world.settings).toEqual(['-opost'])
  expect(world.err()).toContain('Detached. Worker "w1" keeps running.')
  expect(world.signals.eventNames()).toEqual([])
})

test('a new size of the terminal is told', async () => {
  const world = testWorld({}, true)
  const { seen } = await attached(world, ['attach', 'w1'], {
    outcome: { outcome: 'ended', ...endedDetail(0) },
    answer: (_, response) => json(response, {}),
    upgrade: (socket) => {
      socket.write(SWITCHING)
      setTimeout(() => world.stdout.emit('resize', Object.assign(world.stdout, { columns: 70, rows: 15 })), 30)
      setTimeout(() => socket.end(), 150)
    },
  })
  expect(seen.filter((one) => one.path.endsWith('/size'))).toMatchObject([
    { method: 'POST', path: '/v1/attachments/a000000000000000000000001/size', body: { columns: 70, rows: 15 } },
  ])
})

test('SIGTERM leaves; a coordinator that says no goodbye is not waited for, and the terminal is reset', async () => {
  const world = testWorld({}, true)
  const { code } = await attached(world, ['attach', 'w1'], {
    outcome: { outcome: 'detached', worker: worker() },
    upgrade: (socket) => {
      socket.write(SWITCHING)
      setTimeout(() => world.signals.emit('SIGTERM'), 30)
    },
  })
  expect(code).toBe(0)
  expect(world.stdin.raw).toEqual([true, false])
  expect(world.out()).toContain('\u001b[?1049l')
})

test('a refused attachment leaves the terminal alone and has its exit code', async () => {
  const world = testWorld({}, true)
  const { code } = await attached(world, ['attach', 'w1'], {
    outcome: undefined,
    upgrade: (socket) => socket.end(refusal('wrong-state', 9)),
  })
  expect(code).toBe(9)
  expect(world.stdin.raw).toEqual([])
  expect(world.out()).toBe('')
})

test('a terminal that answered once and then falls silent is left', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const world = testWorld({}, true)
    const { code } = await attached(world, ['attach', 'w1'], {
      outcome: { outcome: 'detached', worker: worker() },
      upgrade: (socket) => {
        socket.write(SWITCHING)
        socket.on('data', () => {}).on('end', () => socket.end())
        setTimeout(() => {
          world.stdin.write('\u001b[0n')
          void sleep(30).then(() => vi.advanceTimersByTime(8_000))
        }, 30)
      },
    })
    expect(code).toBe(0)
    expect(world.out().split('\u001b[5n')).toHaveLength(5)
  } finally {
    vi.useRealTimers()
  }
})

function refusal(code: string, exitCode: number): string {
  const body = JSON.stringify({ schemaVersion: 1, error: { code, exitCode, message: 'Worker "w1" has ended.' } })
  return `HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
