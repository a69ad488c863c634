import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { encodeFrame } from '../../coordinator/contract/frames.ts'
import type { Worker } from '../../coordinator/contract/worker.ts'
import { run } from './program.ts'
import { endedDetail, json, refuse, testCoordinator, worker, type Answer } from './testing/test-coordinator.ts'
import { testWorld, type TestWorld } from './testing/test-world.ts'
import { spawn } from './verbs/spawn.ts'

const out = (text: string): Buffer => encodeFrame({ output: 'stdout', data: Buffer.from(text) })
const err = (text: string): Buffer => encodeFrame({ output: 'stderr', data: Buffer.from(text) })

/** A coordinator that spawns at once; `more` answers what comes after. */
function spawning(mode: 'foreground' | 'detached', change: Partial<Worker>, more: Answer): Answer {
  return (seen, response) => {
    if (seen.method === 'POST' && seen.path === '/v1/workers') {
      json(response, {
        worker: worker(change),
        run: { mode, because: 'test' },
        notices: ['A notice.'],
        timings: { ready: 120 },
      })
    } else void more(seen, response)
  }
}

async function spawned(answer: Answer, argv: string[], world: TestWorld = testWorld()): Promise<number> {
  await using coordinator = await testCoordinator(answer)
  Object.assign(world.env, { HAL9000_SOCKET: coordinator.socketPath })
  return await run('spawn', spawn, world, ['/proj', ...argv])
}

test('detached: the name alone on stdout, the next steps on stderr', async () => {
  const world = testWorld()
  expect(
    await spawned(
      spawning('detached', {}, () => {}),
      ['-d'],
      world,
    ),
  ).toBe(0)
  expect(world.out()).toBe('w1\n')
  expect(world.err()).toBe(
    'A notice.\nattach: coordinator attach w1\nlogs:   coordinator logs -f w1\nstop:   coordinator stop w1\n',
  )
})

test('detached with --json: one object, and silence', async () => {
  const world = testWorld()
  expect(
    await spawned(
      spawning('detached', {}, () => {}),
      ['-d', '--json'],
      world,
    ),
  ).toBe(0)
  expect(JSON.parse(world.out())).toMatchObject({
    schemaVersion: 1,
    worker: { name: 'w1' },
    run: { mode: 'detached' },
    notices: ['A notice.'],
    timings: { ready: 120 },
  })
  expect(world.err()).toBe('')
})

test('--no-wait prints the request and does not stay, whatever the mode', async () => {
  const world = testWorld()
  expect(
    await spawned(
      spawning('foreground', { state: 'queued' }, () => {}),
      ['--no-wait'],
      world,
    ),
  ).toBe(0)
  expect(world.out()).toBe('r-request-1\n')
})

test("foreground without a terminal: both outputs, CR LF made LF, and the command's exit code", async () => {
  const world = testWorld()
  const answer = spawning('foreground', {}, (seen, response) => {
    if (seen.path === '/v1/workers/r-request-1/logs' && seen.query.get('follow') === '1') {
      response.write(out('one\r'))
      response.end(Buffer.concat([out('\ntwo\r\n'), err('bad\r\n')]))
    } else if (seen.path === '/v1/workers/r-request-1/wait') json(response, endedDetail(7))
  })
  expect(await spawned(answer, [], world)).toBe(7)
  expect(world.out()).toBe('one\ntwo\n')
  expect(world.err()).toBe('A notice.\nbad\n')
})

test('the bytes of a pipes worker are exact', async () => {
  const world = testWorld()
  const answer = spawning('foreground', { io: 'pipes' }, (seen, response) => {
    if (seen.path.endsWith('/logs')) response.end(out('a\r\n\u001b[2J'))
    else json(response, endedDetail(0))
  })
  expect(await spawned(answer, ['--no-tty'], world)).toBe(0)
  expect(world.out()).toBe('a\r\n\u001b[2J')
})

test('a log that breaks off is read again without losing or repeating a byte', async () => {
  const world = testWorld()
  let readings = 0
  const answer = spawning('foreground', {}, (seen, response) => {
    if (!seen.path.endsWith('/logs')) return json(response, endedDetail(0))
    readings += 1
    if (readings === 1) {
      response.write(Buffer.concat([out('abc'), err('x')]))
      setTimeout(() => response.socket?.destroy(), 30)
    } else response.end(Buffer.concat([out('ab'), err('xy'), out('cdef')]))
    return undefined
  })
  expect(await spawned(answer, [], world)).toBe(0)
  expect(readings).toBe(2)
  expect(world.out()).toBe('abcdef')
  expect(world.err()).toBe('A notice.\nxy')
})

test('a log too long to be read again goes on with what is new, and says so', async () => {
  const world = testWorld()
  const tails: (string | null)[] = []
  const answer = spawning('foreground', {}, (seen, response) => {
    if (!seen.path.endsWith('/logs')) return json(response, endedDetail(0))
    tails.push(seen.query.get('tail'))
    if (tails.length === 1) {
      response.write(out('abcdef'))
      setTimeout(() => response.socket?.destroy(), 30)
      return undefined
    }
    response.setHeader('hal9000-notice', 'The beginning of the log is gone.')
    return response.end(tails.length === 2 ? out('def12345') : out('new'))
  })
  expect(await spawned(answer, [], world)).toBe(0)
  expect(tails).toEqual([null, null, '0'])
  expect(world.out()).toBe('abcdefnew')
  expect(world.err()).toContain('output may be missing here')
})

test("an end that is not the command's own is 125, and said", async () => {
  const world = testWorld()
  const detail = endedDetail(null, { reason: 'engine-stopped', message: 'Docker was restarted.' })
  const answer = spawning('foreground', {}, (seen, response) => {
    if (seen.path.endsWith('/logs')) response.end()
    else json(response, detail)
  })
  expect(await spawned(answer, [], world)).toBe(125)
  expect(world.err()).toContain(
    'Worker "w1" ended: the Docker engine stopped it (its exit code is not known). Docker was',
  )
})

test.each<[string, Parameters<typeof endedDetail>, string[]]>([
  ['simply ended', [3], []],
  ['was killed by a signal', [139, { signal: 'SEGV' }], ['a signal ended the command (exit code 139, signal SEGV).']],
  [
    'lost a child for memory',
    [0, { oomKilled: true, oomKills: 1 }],
    [
      'the command ended (exit code 0).',
      '1 process was killed for want of memory (limit 4 GiB); raise it with --memory.',
    ],
  ],
  [
    'met the limit of processes',
    [0, { pidsLimitHits: 7 }],
    [
      'the command ended (exit code 0).',
      'The process limit of 100 refused 7 new processes; raise it with --pids-limit.',
    ],
  ],
  ['had lost its network', [1, { message: 'So it had.' }], ['the command ended (exit code 1). So it had.']],
])('the last words about a worker that %s', async (_what, end, lines) => {
  const world = testWorld()
  const answer = spawning('foreground', {}, (seen, response) => {
    if (seen.path.endsWith('/logs')) response.end()
    else json(response, endedDetail(...end))
  })
  expect(await spawned(answer, [], world)).toBe(end[0])
  const [first, ...others] = lines
  const said = first === undefined ? [] : [`Worker "w1" ended: ${first}`, ...others]
  expect(world.err()).toBe(['A notice.', ...said, ''].join('\n'))
})

test('foreground with --json: no output, the end as one object', async () => {
  const world = testWorld()
  const answer = spawning('foreground', {}, (seen, response) => {
    if (seen.path === '/v1/workers/r-request-1/wait') json(response, endedDetail(3))
  })
  expect(await spawned(answer, ['--json'], world)).toBe(3)
  expect(JSON.parse(world.out())).toMatchObject({ exitCode: 3, source: 'command', exit: { reason: 'exited' } })
  expect(world.err()).toBe('')
})

test('Ctrl-C leaves the worker, says how to come back, and is 130', async () => {
  const world = testWorld()
  const answer = spawning('foreground', {}, (_, response) => {
    response.write(out('working\n'))
    setTimeout(() => world.signals.emit('SIGINT'), 30)
  })
  expect(await spawned(answer, [], world)).toBe(130)
  expect(world.err()).toContain('Interrupted. Worker "w1" keeps running.\nNext: coordinator logs -f w1\n')
  expect(world.signals.listenerCount('SIGINT')).toBe(0)
})

test('a reader that goes away is no error, and the exit code is still waited for', async () => {
  const world = testWorld()
  const stdout = new PassThrough()
  stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  stdout.on('error', () => {})
  const answer = spawning('foreground', {}, (seen, response) => {
    if (seen.path.endsWith('/logs')) response.write(out('much\n'))
    else json(response, endedDetail(5))
  })
  expect(await spawned(answer, [], Object.assign(world, { stdout }))).toBe(5)
  expect(world.err()).toBe('A notice.\n')
})

test('the launcher gets one line and does the rest itself', async () => {
  const world = testWorld({ HAL9000_HANDOFF: '1' })
  expect(
    await spawned(
      spawning('foreground', {}, () => {}),
      [],
      world,
    ),
  ).toBe(0)
  expect(world.out()).toBe('handoff r-request-1\n')
})

test('what has ended already is not handed over: its output and exit code are there', async () => {
  const world = testWorld({ HAL9000_HANDOFF: '1' })
  const answer = spawning('foreground', { state: 'ended' }, (seen, response) => {
    if (seen.path.endsWith('/logs')) response.end(out('hi\r\n'))
    else json(response, endedDetail(4))
  })
  expect(await spawned(answer, [], world)).toBe(4)
  expect(world.out()).toBe('hi\n')
})

test('on a terminal a worker that ends before we attach shows its output and exit code', async () => {
  const world = testWorld({}, true)
  const answer = spawning('foreground', {}, (seen, response) => {
    if (seen.path.endsWith('/attach')) {
      refuse(response, 409, { code: 'wrong-state', exitCode: 9, message: 'Worker "w1" has ended.' })
    } else if (seen.path.endsWith('/logs')) response.end(out('\u001b]0;title\u0007hi\r\n'))
    else json(response, endedDetail(6))
  })
  expect(await spawned(answer, [], world)).toBe(6)
  expect(world.out()).toBe('hi\r\n')
  expect(world.stdin.raw).toEqual([])
})
