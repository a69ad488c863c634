import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { encodeFrame } from '../../../coordinator/contract/frames.ts'
import type { CoordinatorEvent } from '../../../coordinator/contract/event.ts'
import { FAILURE_TRAILER } from '../../../coordinator/contract/control.ts'
import type { Status } from '../../../coordinator/contract/worker.ts'
import { coordinator } from '../testing/coordinator-command.ts'
import { endedDetail, json, NOT_READY, refuse, worker, type Answer } from '../testing/test-coordinator.ts'
import { testWorld } from '../testing/test-world.ts'

const workers = [
  worker(),
  worker({ name: 'w2', project: '/a' }),
  worker({ name: 'w2', project: '/b', id: 'cd'.repeat(32) }),
]
const listing: Answer = (_, response) => json(response, { workers })

test('list -q prints what other verbs take: names, and ids where a name is not unique', async () => {
  const { code, out, seen } = await coordinator(['list', '-q'], listing)
  expect([code, out]).toEqual([0, 'w1\nabababababab\ncdcdcdcdcdcd\n'])
  expect(seen[0]?.query.get('all')).toBe('0')
})

test('list --json, and ended workers where they are asked for', async () => {
  const { out, seen } = await coordinator(['ps', '--filter', 'state=ended', '--json'], listing)
  expect(JSON.parse(out)).toEqual({ schemaVersion: 1, workers: [] })
  expect(seen[0]?.query.get('all')).toBe('1')
})

test('count', async () => {
  expect((await coordinator(['count'], listing)).out).toBe('3\n')
  expect(JSON.parse((await coordinator(['count', '--json'], listing)).out)).toEqual({ schemaVersion: 1, count: 3 })
})

const stopping: Answer = (seen, response) => {
  const name = seen.path.split('/')[3] ?? ''
  if (name.startsWith('w')) {
    json(response, { ...endedDetail(143), worker: worker({ name }), notices: name === 'w2' ? ['w2 had ended.'] : [] })
  } else
    refuse(response, 404, { code: 'not-found', exitCode: 5, message: `No worker "${name}".`, hint: 'coordinator list' })
}

test('stop reports every name and exits with the first failure', async () => {
  const { code, out, err, seen } = await coordinator(['stop', 'w1', 'nope', 'w2', '-t', '3'], stopping)
  expect([code, out, err]).toEqual([5, 'w1\nw2\n', 'w2 had ended.\nNo worker "nope".\nNext: coordinator list\n'])
  expect(seen.map((one) => one.body)).toEqual([{ grace: 3 }, { grace: 3 }, { grace: 3 }])
})

test('stop --json of several has what was stopped, what failed, and the first failure', async () => {
  const { code, out } = await coordinator(['stop', 'w1', 'nope', '--json'], stopping)
  expect(code).toBe(5)
  expect(JSON.parse(out)).toMatchObject({
    stopped: [{ worker: { name: 'w1' }, notices: [] }],
    failed: [{ name: 'nope', error: { code: 'not-found' } }],
    error: { code: 'not-found', exitCode: 5 },
  })
})

test('one name that fails is one failure', async () => {
  const { code, out, err } = await coordinator(['rm', 'nope', '--json'], stopping)
  expect([code, err]).toEqual([5, ''])
  expect(JSON.parse(out)).toEqual({
    schemaVersion: 1,
    error: { code: 'not-found', exitCode: 5, message: 'No worker "nope".', hint: 'coordinator list' },
  })
})

test('rm reports every name, says whether the record goes too, and exits with the first failure', async () => {
  const { code, out, err, seen } = await coordinator(['rm', 'w1', 'nope', 'w2', '--record'], stopping)
  expect([code, out, err]).toEqual([5, 'w1\nw2\n', 'w2 had ended.\nNo worker "nope".\nNext: coordinator list\n'])
  expect(seen.map(({ path, body }) => [path, body])).toEqual(
    ['w1', 'nope', 'w2'].map((name) => [`/v1/workers/${name}/remove`, { record: true }]),
  )
  expect((await coordinator(['rm', 'w1'], stopping)).seen[0]?.body).toEqual({ record: false })
  const object = JSON.parse((await coordinator(['rm', 'w1', '--json'], stopping)).out)
  expect(object).toMatchObject({
    removed: [{ worker: { name: 'w1' }, exit: { exitCode: 143 }, notices: [] }],
    failed: [],
  })
  expect(Object.keys(object.removed[0])).toEqual(['worker', 'exit', 'notices'])
})

const stoppingAll: Answer = (seen, response) => {
  if (seen.method === 'GET') json(response, { workers })
  else {
    const error = { code: 'engine-unreachable', exitCode: 3, message: 'Docker is away.' }
    json(response, { stopped: [endedDetail(143)], failed: [{ name: 'w2', error }] })
  }
}

test('stop-all off a terminal goes on; what could not be stopped is its exit code', async () => {
  const { code, out, err, seen } = await coordinator(['stop-all'], stoppingAll)
  expect([code, out, err]).toEqual([3, 'w1\n', 'Worker "w2" was not stopped: Docker is away.\n'])
  expect(seen).toMatchObject([{ method: 'POST', path: '/v1/workers/stop', body: { grace: 10 } }])
})

test.each([
  ['\n', 130, 0],
  ['n\n', 130, 0],
  ['yes\n', 3, 1],
  ['y\n', 3, 1],
])('stop-all on a terminal asks, and %j is answered', async (typed, exitCode, posts) => {
  const world = testWorld({}, true)
  world.stdin.write(typed)
  const { code, err, seen } = await coordinator(['stop-all'], stoppingAll, world)
  expect(code).toBe(exitCode)
  expect(err).toContain('w1  /proj\nw2  /a\nw2  /b\nStop these 3 workers? [y/N] ')
  expect(seen.filter((one) => one.method === 'POST')).toHaveLength(posts)
})

const logging =
  (text: string): Answer =>
  (seen, response) => {
    if (!seen.path.endsWith('/logs')) return json(response, { worker: worker(), exit: null })
    response.setHeader('hal9000-notice', 'The log was cut at 50 MB.')
    return response.end(encodeFrame({ output: 'stdout', data: Buffer.from(text) }))
  }

test('logs: by request, with its query, a notice, LF off a terminal', async () => {
  const { code, out, err, seen } = await coordinator(
    ['logs', 'dir/w1', '-n', '5', '--since', '2030-01-01', '-t'],
    logging('a\r\n'),
  )
  expect([code, out, err]).toEqual([0, 'a\n', 'The log was cut at 50 MB.\n'])
  expect(seen.map((one) => one.path)).toEqual(['/v1/workers/dir%2Fw1', '/v1/workers/r-request-1/logs'])
  expect(Object.fromEntries(seen[1]?.query ?? [])).toEqual({
    follow: '0',
    tail: '5',
    since: String(Date.parse('2030-01-01')),
    timestamps: '1',
  })
})

test('logs that the engine could not give to the end: what there is, and why there is no more', async () => {
  const failure = { code: 'engine-unreachable', exitCode: 3, message: 'The engine – hangs.' }
  const { code, out, err } = await coordinator(['logs', 'w1'], (seen, response) => {
    if (!seen.path.endsWith('/logs')) return json(response, { worker: worker(), exit: null })
    response.write(encodeFrame({ output: 'stdout', data: Buffer.from('half\n') }))
    response.addTrailers({ [FAILURE_TRAILER]: encodeURIComponent(JSON.stringify(failure)) })
    return response.end()
  })
  expect([code, out, err]).toEqual([3, 'half\n', 'The engine – hangs.\n'])
})

test('logs on a terminal takes control sequences out, --raw does not', async () => {
  const text = '\u001b]0;x\u0007\u001b[31mred\r\n'
  expect((await coordinator(['logs', 'w1'], logging(text), testWorld({}, true))).out).toBe('\u001b[31mred\r\n\u001b[0m')
  expect((await coordinator(['logs', 'w1', '--raw'], logging(text), testWorld({}, true))).out).toBe(text)
})

test('the launcher says that our output ends at a terminal of the host', async () => {
  const held = { HAL9000_TERMINAL: '1', HAL9000_COLUMNS: '60' }
  expect((await coordinator(['logs', 'w1'], logging('\u001b]0;x\u0007hi\r\n'), testWorld(held))).out).toBe('hi\r\n')
  const long = worker({ project: `/${'long/'.repeat(20)}end` })
  const { out } = await coordinator(['list'], (_, response) => json(response, { workers: [long] }), testWorld(held))
  expect(out).toContain('…')
})

test('logs whose reader has gone end quietly, also while following', async () => {
  const stdout = new PassThrough()
  stdout.destroy()
  const world = Object.assign(testWorld(), { stdout })
  const answer: Answer = (seen, response) => {
    if (seen.path.endsWith('/logs')) response.write(encodeFrame({ output: 'stdout', data: Buffer.from('x') }))
    else json(response, { worker: worker(), exit: null })
  }
  const { code, err } = await coordinator(['logs', '-f', 'w1'], answer, world)
  expect([code, err]).toEqual([0, ''])
})

test('a slow reader is waited for', async () => {
  const big = Buffer.alloc(3_000_000, 'x')
  let taken = 0
  const stdout = new PassThrough({ highWaterMark: 1000 })
  const slow = setInterval(() => {
    const chunk: Buffer | null = stdout.read()
    taken += chunk?.length ?? 0
  }, 1)
  const answer: Answer = (seen, response) => {
    if (!seen.path.endsWith('/logs')) return json(response, { worker: worker({ io: 'pipes' }), exit: null })
    for (let at = 0; at < big.length; at += 30_000) {
      response.write(encodeFrame({ output: 'stdout', data: big.subarray(at, at + 30_000) }))
    }
    return response.end()
  }
  const { code } = await coordinator(['logs', 'w1'], answer, Object.assign(testWorld(), { stdout }))
  clearInterval(slow)
  expect(code).toBe(0)
  // What is left unread is what fits into the stream, not megabytes held in memory.
  expect(taken).toBeGreaterThan(big.length - 100_000)
})

test("wait exits with the command's code", async () => {
  const { code, out, err, seen } = await coordinator(['wait', 'w1'], (_, response) => json(response, endedDetail(9)))
  expect([code, out, err]).toEqual([9, '', ''])
  expect(seen[0]?.path).toBe('/v1/workers/w1/wait')
})

test('wait --json says whose the exit code is', async () => {
  const { code, out } = await coordinator(['wait', 'w1', '--json'], (_, response) =>
    json(response, endedDetail(null, { reason: 'failed' })),
  )
  expect(code).toBe(125)
  expect(JSON.parse(out)).toMatchObject({ exitCode: 125, source: 'hal9000', error: { code: 'worker-failed' } })
})

test('inspect shows the exit record', async () => {
  const answer: Answer = (_, response) =>
    json(response, endedDetail(137, { reason: 'oom', oomKilled: true, oomKills: 2 }))
  const { out } = await coordinator(['inspect', 'w1'], answer)
  expect(out).toMatch(/^state +oom 137$/m)
  expect(out).toMatch(
    /^limits met +2 processes were killed for want of memory \(limit 4 GiB\); raise it with --memory\.$/m,
  )
  expect(JSON.parse((await coordinator(['inspect', 'w1', '--json'], answer)).out)).toMatchObject({
    exit: { oomKills: 2 },
  })
})

test.each([
  ['ready', 0],
  ['starting', 4],
  ['degraded', 4],
] as const)('status of a coordinator that is %s', async (state, exitCode) => {
  const ready = state === 'ready'
  const status = {
    instance: 'hal9000',
    version: '0.1.0',
    state,
    ready,
    problems: ready ? [] : ['Redis is restarting.'],
    notices: [],
    engine: { version: '20.10.24', apiVersion: '1.41', cpus: 2, memory: 8 * 2 ** 30, cgroup: 'v1' },
    network: 'holder',
    projectRoots: ['/home/u'],
    workers: { queued: 0, creating: 0, starting: 0, running: 3, paused: 0, stopping: 1, ended: 0, lost: 0 },
    conditions: { 'network-lost': 2, 'limit-hit': 0, 'needs-input': 0, 'stopping-late': 0 },
    queue: { waiting: 0, active: 1, maxWorkers: 0 },
    startedAt: '2030-01-01T00:00:00Z',
    startup: {},
  }
  const { code, out } = await coordinator(['status'], (_, response) => json(response, status))
  expect(code).toBe(exitCode)
  expect(out).toMatch(new RegExp(`^state +${state}$`, 'm'))
  expect(out).toMatch(/^workers +3 running, 1 stopping$/m)
  expect(out).toMatch(/^conditions +2 network-lost$/m)
  expect(out.includes('Redis is restarting.')).toBe(!ready)
})

test('status says of what cannot be known that it is not known, never that there is none', async () => {
  const status = {
    instance: 'hal9000',
    version: '0.1.0',
    state: 'degraded',
    ready: false,
    problems: ['The Docker engine does not answer.', 'Redis does not answer.'],
    notices: ['A copy is there.'],
    engine: null,
    network: null,
    projectRoots: [],
    workers: null,
    conditions: null,
    queue: { waiting: null, active: null, maxWorkers: 3 },
    startedAt: '2030-01-01T00:00:00Z',
    startup: {},
  } satisfies Status
  const { out } = await coordinator(['status'], (_, response) => json(response, status))
  expect(out).toMatch(/^network +not known$/m)
  expect(out).toMatch(/^workers +not known$/m)
  expect(out).toMatch(/^queue +not known, at most 3 workers$/m)
  expect(out).toMatch(/^notice +A copy is there\.$/m)
  expect(out).not.toContain('none')
})

test('ready: one try, and the reason', async () => {
  expect((await coordinator(['ready'], (_, response) => json(response, {}))).code).toBe(0)
  const { code, err, seen } = await coordinator(['ready'], (_, response) => refuse(response, 503, NOT_READY))
  expect([code, err]).toEqual([4, 'Redis is not there yet.\n'])
  expect(seen).toHaveLength(1)
})

test('resize tells the size of an attachment', async () => {
  const { code, seen } = await coordinator(['resize', 'attach-id-1', '90', '20'], (_, response) => json(response, {}))
  expect(code).toBe(0)
  expect(seen).toMatchObject([{ path: '/v1/attachments/attach-id-1/size', body: { columns: 90, rows: 20 } }])
})

function event(id: string, message: string): CoordinatorEvent {
  const at = '2030-01-01T00:00:00Z'
  return { id, at, kind: 'worker-ready', worker: 'w1', project: '/p', request: 'r-1', message, exit: null }
}

test('events: text with control characters escaped, or one object a line', async () => {
  const answer: Answer = (_, response) =>
    response.end(`${JSON.stringify(event('1-0', 'a\nb'))}\n${JSON.stringify(event('2-0', 'c'))}\n`)
  const { out, seen } = await coordinator(['events', '-n', '2'], answer)
  expect(out).toBe(`2030-01-01T00:00:00Z  worker-ready  w1  a\\nb\n2030-01-01T00:00:00Z  worker-ready  w1  c\n`)
  expect(Object.fromEntries(seen[0]?.query ?? [])).toEqual({ follow: '0', tail: '2' })
  const objects = (await coordinator(['events', '--json'], answer)).out.trim().split('\n')
  expect(objects.map((line) => JSON.parse(line))).toEqual([
    { schemaVersion: 1, ...event('1-0', 'a\nb') },
    { schemaVersion: 1, ...event('2-0', 'c') },
  ])
})

test('events --after begins after an event, and --tail is not asked then', async () => {
  const { seen } = await coordinator(['events', '--after', '5-0'], (_, response) => response.end())
  expect(seen[0]?.query.get('after')).toBe('5-0')
})

test('events --follow that breaks off before the first event goes on from where it began', async () => {
  const asked: (string | null)[] = []
  await coordinator(['events', '-f', '-n', '0'], (seen, response) => {
    asked.push(seen.query.get('after'))
    if (asked.length === 3) return refuse(response, 403, { code: 'refused-by-policy', exitCode: 7, message: 'Enough.' })
    response.setHeader('hal9000-after', asked.length === 1 ? '7-1' : '9-9')
    response.flushHeaders()
    return setTimeout(() => response.socket?.destroy(), 30)
  })
  expect(asked).toEqual([null, '7-1', '7-1'])
})

test('events --follow goes on after the last event where it broke off', async () => {
  const asked: (string | null)[] = []
  const { code, out } = await coordinator(['events', '-f'], (seen, response) => {
    asked.push(seen.query.get('after'))
    if (asked.length === 1) {
      response.write(`${JSON.stringify(event('1-0', 'one'))}\n{"id":"2-0","mess`)
      setTimeout(() => response.socket?.destroy(), 30)
    } else if (asked.length === 2) {
      response.end(`${JSON.stringify(event('2-0', 'two'))}\n`)
    } else refuse(response, 403, { code: 'refused-by-policy', exitCode: 7, message: 'Enough.' })
  })
  expect(code).toBe(7)
  expect(asked).toEqual([null, '1-0', '2-0'])
  expect(out).toMatch(/one\n.*two\n$/)
})
