import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { MAX_INPUT } from '../../../coordinator/contract/control.ts'
import { run } from '../program.ts'
import { endedDetail, json, worker } from '../testing/test-coordinator.ts'
import { testWorld, type TestWorld } from '../testing/test-world.ts'
import { spawn } from '../verbs/spawn.ts'

const MARK = '0123456789abcdef0123456789abcdef'
const ID = 'r000000000000000000000001'

type Seen = { what: string; type: string | undefined; body: Buffer }

/** A coordinator that takes inputs and spawns; what it saw, and what the command line came to. */
async function spawned(
  world: TestWorld,
  feed: () => unknown,
  options: string[] = ['-d'],
): Promise<{ code: number; seen: Seen[] }> {
  const directory = await mkdtemp(join(tmpdir(), 'hal9000-cli-'))
  const socketPath = join(directory, 'control.sock')
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      const what = `${request.method} ${request.url}`
      seen.push({ what, type: request.headers['content-type'], body: Buffer.concat(chunks) })
      if (request.method === 'PUT') return json(response, {})
      if (request.method === 'POST') {
        const run = { mode: options.includes('-d') ? 'detached' : 'foreground', because: 'test' }
        return json(response, { worker: worker(), run, notices: [], timings: {} })
      }
      return request.url?.includes('/logs') ? response.end() : json(response, endedDetail(7))
    })
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  onTestFinished(async () => {
    server.close()
    await rm(directory, { recursive: true })
  })
  Object.assign(world.env, { HAL9000_SOCKET: socketPath })
  const done = run('spawn', spawn, world, ['--stdin', ...options, '/proj'])
  feed()
  return { code: await done, seen }
}

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

test.each([
  ['nothing', Buffer.alloc(0)],
  ['NUL bytes and no final newline', Buffer.from('\0a\0\n\xff', 'latin1')],
  ['as much as there may be', randomBytes(MAX_INPUT)],
])('%s is sent byte for byte, and before the request', async (_what, input) => {
  const world = testWorld()
  const { code, seen } = await spawned(world, () => world.stdin.end(input))
  expect([code, seen.map(({ what }) => what)]).toEqual([0, [`PUT /v1/inputs/${ID}`, 'POST /v1/workers']])
  expect(seen[0]?.type).toBe('application/octet-stream')
  expect(hash(seen[0]?.body ?? Buffer.of())).toBe(hash(input))
  expect(JSON.parse(String(seen[1]?.body))).toMatchObject({ id: ID, input: input.length })
})

test('one byte too much is refused without reading on, and nothing is sent', async () => {
  const world = testWorld()
  const { code, seen } = await spawned(world, () => {
    world.stdin.write(Buffer.alloc(MAX_INPUT))
    world.stdin.write('x')
  })
  expect([code, seen]).toEqual([2, []])
  expect(world.err()).toMatch(/^The input is more than the 8 MiB that --stdin hands over\.\nNext: /)
  expect(world.stdin.destroyed).toBe(true)
})

test('Ctrl-C while it is read starts nothing', async () => {
  const world = testWorld()
  const { code, seen } = await spawned(world, () => {
    world.stdin.write('half of')
    setTimeout(() => world.signals.emit('SIGINT'), 20)
  })
  expect([code, seen, world.err()]).toEqual([130, [], 'Interrupted, and nothing was started.\n'])
})

test('a stdin that docker exec did not hand over is not taken for an empty one', async () => {
  const world = Object.assign(testWorld(), { inputIsNull: () => true })
  const { code, seen } = await spawned(world, () => {})
  expect([code, seen]).toEqual([2, []])
  expect(world.err()).toContain('Next: add -i to docker exec')
})

test('in the foreground it is not attached, also on a terminal', async () => {
  const world = testWorld({}, true)
  const { code, seen } = await spawned(world, () => world.stdin.end('x'), ['--foreground'])
  expect(code).toBe(7)
  expect(seen.map(({ what }) => what)).toEqual([
    `PUT /v1/inputs/${ID}`,
    'POST /v1/workers',
    'GET /v1/workers/r-request-1/logs?follow=1&timestamps=0',
    'GET /v1/workers/r-request-1/wait',
  ])
})

test.each([
  ['in one piece', 'input', [`input${MARK}y`]],
  ['byte by byte', 'input', `input${MARK}y`.split('')],
  ['behind a part of it', `in${MARK.slice(0, 31)}`, [`in${MARK.slice(0, 31)}`, MARK.slice(0, 5), `${MARK.slice(5)}y`]],
  ['behind nothing', '', [MARK, 'y']],
])('the launcher’s mark ends the input, though stdin goes on: %s', async (_how, input, pieces) => {
  const world = testWorld({ HAL9000_INPUT_MARK: MARK })
  const { code, seen } = await spawned(world, async () => {
    for (const piece of pieces) {
      world.stdin.write(piece)
      await nextTurn() // or they would be read as one
    }
  })
  expect([code, String(seen[0]?.body), seen.length]).toEqual([0, input, 2])
})

test.each([
  [MAX_INPUT, 0, 2],
  [MAX_INPUT + 1, 2, 0],
])('of %d bytes before the mark the exit code is %d', async (length, exitCode, sent) => {
  const world = testWorld({ HAL9000_INPUT_MARK: MARK })
  const { code, seen } = await spawned(world, () => {
    world.stdin.write(Buffer.alloc(length))
    world.stdin.write(`${MARK}y`)
  })
  expect([code, seen.length]).toEqual([exitCode, sent])
})

test.each([
  ['ends without the mark', (world: TestWorld) => world.stdin.end(`input${MARK}`), 130],
  ['could not be read to its end', (world: TestWorld) => world.stdin.write(`input${MARK}n`), 2],
])('a launcher’s stdin that %s starts nothing', async (_what, feed, exitCode) => {
  const world = testWorld({ HAL9000_INPUT_MARK: MARK })
  const { code, seen } = await spawned(world, () => feed(world))
  expect([code, seen]).toEqual([exitCode, []])
  expect(world.err()).toContain('nothing was started')
})

test('behind the mark stdin is a lifeline: its end hangs up', async () => {
  const world = testWorld({ HAL9000_INPUT_MARK: MARK })
  let hungUp = 0
  world.signals.on('SIGHUP', () => (hungUp += 1))
  await spawned(world, () => world.stdin.write(`input${MARK}y`))
  expect(hungUp).toBe(0)
  world.stdin.end()
  await expect.poll(() => hungUp).toBe(1)
})
