import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LEAVING_HEADER } from '../contract/control.ts'
import { Failure } from '../contract/failure.ts'
import type { ControlContext } from './context.ts'
import { Leaving } from './leaving.ts'
import { listen } from './server.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'control-'))
  path = join(directory, 'control.sock')
})
afterEach(async () => await rm(directory, { recursive: true }))

const NEVER = new Promise<never>(() => {})

/** What the routes that are asked here need of a coordinator. */
function coordinator(epoch: number, stillHeld: () => Promise<void> = () => Promise.resolve()): ControlContext {
  return {
    owner: { epoch },
    stillHeld,
    leaving: new Leaving(),
    log: { info: () => {}, error: () => {} },
  } as unknown as ControlContext
}

type Answer = {
  status: number | undefined
  headers: Record<string, unknown>
  body: { epoch?: number; error?: { code: string } }
}

const owner = (): Promise<Answer> => ask('/v1/owner')

function ask(what: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: what }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: JSON.parse(text) }),
      )
    })
    asked.on('error', reject).end()
  })
}

test('whoever listens is closed to others and answers who it is, without having asked anybody', async () => {
  await using server = await listen(path, coordinator(7))
  expect((await lstat(path)).mode & 0o777).toBe(0o600)
  expect(await owner()).toMatchObject({ status: 200, body: { schemaVersion: 1, epoch: 7 } })
  await server.close()
})

test('a successor takes the socket over, and the end of the one before leaves it alone', async () => {
  const before = await listen(path, coordinator(7))
  await using after = await listen(path, coordinator(8))
  expect(await owner()).toMatchObject({ body: { epoch: 8 } })
  await before.close()
  expect(await owner()).toMatchObject({ body: { epoch: 8 } })
  expect(await readdir(directory)).toEqual(['control.sock'])
  await after.close()
})

test('nobody is answered by one that does not hold its instance', async () => {
  const lost = (): Promise<void> => Promise.reject(new Failure('not-ready', 'Another one has it.'))
  await using server = await listen(path, coordinator(7, lost))
  expect(await owner()).toMatchObject({ status: 503, body: { error: { code: 'not-ready' } } })
  await server.close()
})

test('one that leaves refuses, and tells who waits, with the word that the next one is to be asked', async () => {
  const found = Promise.withResolvers<void>()
  const waits = {
    roster: { find: () => (found.resolve(), { id: 'c1', request: 'r1' }) },
    records: { ended: () => NEVER },
  }
  const context = { ...coordinator(7), ...waits } as unknown as ControlContext
  await using server = await listen(path, context)
  const waiting = ask('/v1/workers/w1/wait')
  await found.promise
  context.leaving.begin()
  const word = { status: 503, headers: { [LEAVING_HEADER]: '' }, body: { error: { code: 'not-ready' } } }
  expect(await ask('/v1/workers')).toMatchObject(word)
  expect(await owner()).toMatchObject({ status: 200, body: { epoch: 7 } })
  context.leaving.tellWaiting()
  expect(await waiting).toMatchObject(word)
  await server.close()
})

test('a refusal of one that stays is no such word', async () => {
  const lost = (): Promise<void> => Promise.reject(new Failure('not-ready', 'Another one has it.'))
  await using server = await listen(path, coordinator(7, lost))
  expect((await owner()).headers).not.toHaveProperty(LEAVING_HEADER)
  await server.close()
})
