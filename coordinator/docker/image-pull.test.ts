import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import { InstanceName } from '../contract/names.ts'
import type { PullProgress } from '../contract/pull.ts'
import { connector } from './connection.ts'
import { dockerodeEngine } from './dockerode-engine.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pull-'))
})
afterEach(async () => await rm(directory, { recursive: true }))

const VERSION = JSON.stringify({ Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' })
const still = new AbortController().signal

type Pulled = { asked: string; told: PullProgress[] }

/** Pulls from an engine that answers as the test says. */
async function pulling(
  answer: (response: ServerResponse) => void,
  signal: AbortSignal,
  reference = 'registry.example/worker:1',
  onProgress = (): void => {},
): Promise<Pulled> {
  const socketPath = join(directory, 'docker.sock')
  const pulled: Pulled = { asked: '', told: [] }
  const server = createServer((request, response) => {
    if (request.url === '/version') return void response.end(VERSION)
    pulled.asked = request.url ?? ''
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  try {
    const engine = dockerodeEngine(connector(socketPath), InstanceName.parse('test'))
    const told = (progress: PullProgress): void => {
      pulled.told.push(progress)
      onProgress()
    }
    await engine.pull(reference, told, signal)
    return pulled
  } finally {
    // Waits for connections that are still open: the engine would still be at it.
    server.closeIdleConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const line = (value: object): string => `${JSON.stringify(value)}\r\n`
const BEGUN = line({ status: 'Pulling from worker', id: '1' }) + line({ status: 'Pulling fs layer', id: 'a' })
const DONE = line({ status: 'Pull complete', id: 'a' }) + line({ status: 'Status: Downloaded newer image' })

test.each([
  ['registry.example:5000/worker', 'fromImage=registry.example%3A5000%2Fworker&tag=latest'],
  ['worker:1', 'fromImage=worker&tag=1'],
  [`worker@sha256:${'ab'.repeat(32)}`, `fromImage=worker&tag=sha256%3A${'ab'.repeat(32)}`],
])('%s is one image, never all its tags', async (reference, query) => {
  const { asked } = await pulling((response) => response.end(BEGUN + DONE), still, reference)
  expect(asked).toBe(`/v1.41/images/create?${query}`)
})

test('progress is told as it comes, however the lines are cut', async () => {
  const text = BEGUN + DONE
  const { told } = await pulling((response) => {
    response.write(text.slice(0, 60))
    setImmediate(() => response.end(text.slice(60).trimEnd()))
  }, still)
  expect(told).toHaveLength(4)
  expect(told.at(-1)).toMatchObject({ layers: 1, done: 1 })
})

test('an error within an answer that began well is a failure with its words', async () => {
  const words = 'Get "https://registry.example/v2/": connection refused'
  const answer = BEGUN + line({ errorDetail: { message: words }, error: words })
  await expect(pulling((response) => response.end(answer), still)).rejects.toMatchObject({
    code: 'pull-failed',
    message: `Image "registry.example/worker:1" could not be pulled: ${words}`,
    hint: 'try it on the host, where logins are known: docker pull registry.example/worker:1',
  })
})

test.each([
  [404, 'pull access denied for worker, repository does not exist'],
  [500, 'Get "https://registry.example/v2/": dial tcp: no such host'],
])('an answer of %i is a failure with its words and nothing else', async (status, words) => {
  const answer = (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message: words }))
  }
  await expect(pulling(answer, still)).rejects.toMatchObject({
    code: 'pull-failed',
    message: `Image "registry.example/worker:1" could not be pulled: ${words}`,
  })
})

test('an answer that breaks off is an engine that went away', async () => {
  const answer = (response: ServerResponse): void => {
    response.write(BEGUN, () => response.destroy())
  }
  await expect(pulling(answer, still)).rejects.toMatchObject({ code: 'engine-unreachable', exitCode: 3 })
})

test.each<[string, (response: ServerResponse) => void]>([
  ['before it has answered', () => {}],
  ['in the middle of its answer', (response) => void response.write(BEGUN)],
])('a pull that hangs %s ends by its signal, and the engine hears that it does', async (_when, answer) => {
  const failure = new Failure('interrupted', 'Nobody wants it any more.')
  const giveUp = new AbortController()
  const hanging = pulling(
    (response) => {
      answer(response)
      if (!response.headersSent) giveUp.abort(failure)
    },
    giveUp.signal,
    'x:1',
    () => giveUp.abort(failure),
  )
  await expect(hanging).rejects.toBe(failure)
})
