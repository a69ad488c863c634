import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LEAVING_HEADER } from '../../coordinator/contract/control.ts'
import { controlClient } from './control-client.ts'
import { json, NOT_READY, refuse, testCoordinator } from './testing/test-coordinator.ts'

const clientAt = (socketPath: string, absentLimit = 10_000) =>
  controlClient({ socketPath, now: Date.now, retryEvery: 10, absentLimit })

test('a request that is cut off is sent again, the same one', async () => {
  let tries = 0
  await using coordinator = await testCoordinator((_, response) => {
    tries += 1
    if (tries === 1) response.socket?.destroy()
    else if (tries === 2) {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"half":')
      setTimeout(() => response.socket?.destroy(), 10)
    } else if (tries === 3) refuse(response, 503, NOT_READY)
    else json(response, { made: true })
  })
  const body = { id: 'r-same-id', project: '/proj' }
  const answer = await clientAt(coordinator.socketPath).call({ method: 'POST', path: '/v1/workers', body })
  expect(answer).toEqual({ schemaVersion: 1, made: true })
  expect(coordinator.seen.map((one) => one.body)).toEqual([body, body, body, body])
})

test('an answer may be waited for as long as anybody likes', async () => {
  await using coordinator = await testCoordinator((_, response) => json(response, {}))
  const answerWithin = 400 * 86_400_000
  expect(await clientAt(coordinator.socketPath).call({ path: '/v1/status', answerWithin })).toEqual({
    schemaVersion: 1,
  })
})

test('a coordinator that comes up late is waited for', async () => {
  const first = await testCoordinator((_, response) => json(response, {}))
  await first.close()
  const pending = clientAt(first.socketPath).call<{ late: boolean }>({ path: '/v1/status' })
  await sleep(100)
  await using second = await testCoordinator(
    (_, response) => json(response, { late: true }),
    undefined,
    first.socketPath,
  )
  expect((await pending).late).toBe(true)
  expect(second.seen).toHaveLength(1)
  await first[Symbol.asyncDispose]()
})

test('nobody listening for long is not-ready, with the socket and a next step', async () => {
  const started = Date.now()
  const call = clientAt('/tmp/hal9000-no-such.sock', 150).call({ path: '/v1/status', patience: 60_000 })
  await expect(call).rejects.toMatchObject({
    code: 'not-ready',
    exitCode: 4,
    message: 'The coordinator is not running: nothing listens on /tmp/hal9000-no-such.sock.',
    hint: './hal9000 status',
  })
  expect(Date.now() - started).toBeGreaterThanOrEqual(150)
  expect(Date.now() - started).toBeLessThan(2_000)
})

test('one that was stopped on purpose is not waited for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hal9000-cli-'))
  await mkdir(join(directory, 'service', 'coordinator'), { recursive: true })
  await writeFile(join(directory, 'service', 'coordinator', 'down'), '')
  const started = Date.now()
  const call = clientAt(join(directory, 'control.sock')).call({ path: '/v1/workers', patience: 60_000 })
  await expect(call).rejects.toMatchObject({ code: 'not-ready', exitCode: 4, hint: 'coordinator daemon start' })
  expect(Date.now() - started).toBeLessThan(2_000)
  await rm(directory, { recursive: true })
})

test('"not ready" is met with patience, and its reason is what is said in the end', async () => {
  await using coordinator = await testCoordinator((_, response) => refuse(response, 503, NOT_READY))
  const call = clientAt(coordinator.socketPath).call({ path: '/v1/workers', patience: 100 })
  await expect(call).rejects.toMatchObject({ code: 'not-ready', message: NOT_READY.message })
  expect(coordinator.seen.length).toBeGreaterThan(3)
})

test('a refusal that is long in coming does not begin the patience anew', async () => {
  let now = 0
  await using coordinator = await testCoordinator((_, response) => {
    now += 3_000
    refuse(response, 503, NOT_READY)
  })
  const client = controlClient({ socketPath: coordinator.socketPath, now: () => now, retryEvery: 1 })
  await expect(client.call({ path: '/v1/events', patience: 5_000 })).rejects.toMatchObject({ code: 'not-ready' })
  expect(coordinator.seen).toHaveLength(3)
})

test('one that leaves has served until then: the patience begins anew', async () => {
  let now = 0
  let turn = 0
  await using coordinator = await testCoordinator((_, response) => {
    now += 60_000
    turn += 1
    if (turn === 4) return json(response, { served: true })
    response.setHeader(LEAVING_HEADER, '')
    refuse(response, 503, NOT_READY)
  })
  const client = controlClient({ socketPath: coordinator.socketPath, now: () => now, retryEvery: 1 })
  expect(await client.call({ path: '/v1/workers/w1/wait' })).toMatchObject({ served: true })
})

test('without patience there is one try', async () => {
  await using coordinator = await testCoordinator((_, response) => refuse(response, 503, NOT_READY))
  const call = clientAt(coordinator.socketPath).call({ path: '/v1/ready', patience: 0 })
  await expect(call).rejects.toMatchObject({ code: 'not-ready' })
  expect(coordinator.seen).toHaveLength(1)
})

test('the deadline ends even a coordinator that cuts off every time after a while', async () => {
  await using coordinator = await testCoordinator(
    (_, response) => void setTimeout(() => response.socket?.destroy(), 30),
  )
  const call = clientAt(coordinator.socketPath).call({ path: '/v1/workers', patience: 60_000, deadline: 200 })
  await expect(call).rejects.toMatchObject({
    code: 'not-ready',
    message: 'The coordinator went away before it answered.',
  })
})

test('an answer that does not come in time is not-ready, also when it has begun', async () => {
  await using coordinator = await testCoordinator((_, response) => void response.write('{'))
  const call = clientAt(coordinator.socketPath).call({ path: '/v1/status', answerWithin: 100 })
  await expect(call).rejects.toMatchObject({
    code: 'not-ready',
    message: expect.stringContaining('did not answer within'),
  })
  expect(coordinator.seen).toHaveLength(1)
})

test('the time for an answer ends with it: a stream and a raw connection outlive it', async () => {
  await using coordinator = await testCoordinator(
    (_, response) => {
      response.write('a')
      setTimeout(() => response.end('b'), 200)
    },
    (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\na')
      setTimeout(() => socket.end('b'), 200)
    },
  )
  const client = clientAt(coordinator.socketPath)
  const stream = await client.open({ path: '/v1/events', answerWithin: 100 })
  expect(await textOf(stream)).toBe('ab')
  const { socket, head } = await client.upgrade({ path: '/v1/workers/w1/attach', answerWithin: 100 }, 'x')
  socket.unshift(head)
  expect(await textOf(socket)).toBe('ab')
})

test('a failure that is answered is thrown as it is', async () => {
  const error = {
    code: 'name-in-use',
    exitCode: 6,
    message: 'Worker "w1" is there.',
    hint: 'coordinator attach w1',
  } as const
  await using coordinator = await testCoordinator((_, response) => refuse(response, 409, error))
  const call = clientAt(coordinator.socketPath).call({ path: '/v1/workers' })
  await expect(call).rejects.toMatchObject({ code: error.code, exitCode: 6, message: error.message, hint: error.hint })
  expect(coordinator.seen).toHaveLength(1)
})

test.each([
  ['no JSON', 'Bad Gateway', 502],
  ['no failure of ours', '{"error":{"code":"teapot","message":"x"}}', 500],
  ['no JSON in an answer', 'hello', 200],
])('%s is unexpected, not a crash', async (_, text, status) => {
  await using coordinator = await testCoordinator((_, response) => response.writeHead(status).end(text))
  const call = clientAt(coordinator.socketPath).call({ path: '/v1/status' })
  await expect(call).rejects.toMatchObject({ code: 'unexpected', message: expect.stringContaining(`HTTP ${status}`) })
})

test('a signal ends a call with its reason', async () => {
  await using coordinator = await testCoordinator(() => {})
  const controller = new AbortController()
  const call = clientAt(coordinator.socketPath).call({ path: '/v1/workers', signal: controller.signal })
  setTimeout(() => controller.abort(new Error('enough')), 30)
  await expect(call).rejects.toThrow('enough')
})

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
