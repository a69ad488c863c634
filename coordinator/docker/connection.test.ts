import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InstanceName } from '../contract/names.ts'
import { connect, connector, negotiate } from './connection.ts'
import { dockerodeEngine } from './dockerode-engine.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'connection-'))
})
afterAll(async () => await rm(directory, { recursive: true }))

let sockets = 0

/** An engine that answers as `listener` does, on a socket of its own, for as long as `use` runs. */
async function withEngine<T>(listener: RequestListener, use: (socketPath: string) => Promise<T>): Promise<T> {
  sockets += 1
  const socketPath = join(directory, `${sockets}.sock`)
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  try {
    return await use(socketPath)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const VERSION = JSON.stringify({ Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' })
const good: RequestListener = (_request, response) => response.end(VERSION)

/** What can be wrong with an engine that is there. */
const TROUBLE: [string, RequestListener][] = [
  ['accepts and says nothing', () => {}],
  [
    'hangs before the end of its headers',
    (_request, response) => response.socket?.write('HTTP/1.1 200 OK\r\nContent-Ty'),
  ],
  [
    'hangs after its headers',
    (_request, response) => response.writeHead(200, { 'Content-Length': '9' }).flushHeaders(),
  ],
  [
    'hangs in its body',
    (_request, response) => void response.writeHead(200, { 'Content-Length': '500' }).write(VERSION),
  ],
]

describe('an engine that', () => {
  test.each(TROUBLE)('%s is given up at the deadline', async (_what, listener) => {
    await withEngine(listener, async (socketPath) => {
      await expect(connect(socketPath, 100)).rejects.toMatchObject({
        code: 'engine-unreachable',
        message: `The Docker engine at ${socketPath} did not answer "version" within 0.1 s.`,
        hint: 'check that the engine runs on the host: docker info',
      })
    })
  })

  test('breaks off is unreachable', async () => {
    await withEngine(
      (request) => request.socket.destroy(),
      async (socketPath) => await expect(connect(socketPath)).rejects.toMatchObject({ code: 'engine-unreachable' }),
    )
  })

  test('is not there is unreachable, with the reason', async () => {
    const socketPath = join(directory, 'nobody.sock')
    await expect(connect(socketPath)).rejects.toMatchObject({
      code: 'engine-unreachable',
      message: `The Docker engine at ${socketPath} does not answer "version" (ENOENT).`,
    })
  })

  test('answers with an error has answered: the error passes on', async () => {
    await withEngine(
      (_request, response) => response.writeHead(500).end('{"message":"boom"}'),
      async (socketPath) => await expect(connect(socketPath)).rejects.toMatchObject({ statusCode: 500 }),
    )
  })

  test('is no Docker engine is not connected to', async () => {
    await withEngine(
      (_request, response) => response.end('{}'),
      async (socketPath) => await expect(connect(socketPath)).rejects.toMatchObject({ code: 'engine-unreachable' }),
    )
  })
})

test('a call is answered with its result, and speaks the version that was agreed on', async () => {
  const paths: (string | undefined)[] = []
  const listener: RequestListener = (request, response) => {
    paths.push(request.url)
    response.end(request.url === '/version' ? VERSION : '[]')
  }
  await withEngine(listener, async (socketPath) => {
    const { call, apiVersion, engineVersion } = await connect(socketPath)
    expect({ apiVersion, engineVersion }).toEqual({ apiVersion: '1.41', engineVersion: '20.10.24' })
    await expect(call('list', 5000, (docker) => docker.listContainers())).resolves.toEqual([])
    await expect(call('late', 20, () => new Promise(() => {}))).rejects.toThrow(/did not answer "late" within 0.02 s/)
  })
  expect(paths).toEqual(['/version', '/v1.41/containers/json'])
})

/** An engine that says its version, and answers everything else as `listener` does. */
const saying =
  (listener: RequestListener): RequestListener =>
  (request, response) =>
    request.url === '/version' ? response.end(VERSION) : listener(request, response)

describe('an answer that is not understood is no answer:', () => {
  test.each([
    ['half of it', '[{"Id":'],
    ['nothing of it', ''],
    ['something else', 'Bad Gateway'],
  ])('%s', async (_what, body) => {
    await withEngine(
      saying((_request, response) => response.end(body)),
      async (socketPath) => {
        const { call } = await connect(socketPath)
        // An empty list would be a lie.
        await expect(call('list', 5000, (docker) => docker.listContainers())).rejects.toMatchObject({
          code: 'engine-unreachable',
          message: 'The Docker engine gave an answer that cannot be understood.',
        })
      },
    )
  })

  test('the shape of another', async () => {
    await withEngine(saying(good), async (socketPath) => {
      const engine = dockerodeEngine(connector(socketPath), InstanceName.parse('one'))
      await expect(engine.host()).rejects.toMatchObject({ code: 'engine-unreachable' })
    })
  })

  test('but for what has nothing to say', async () => {
    await withEngine(
      saying((_request, response) => response.writeHead(204).end()),
      async (socketPath) => {
        const { call } = await connect(socketPath)
        await expect(call('start', 5000, (docker) => docker.getContainer('w1').start())).resolves.toBeDefined()
      },
    )
  })
})

test.each(TROUBLE)('a call to an engine that %s leaves no connection open, used or not', async (_what, listener) => {
  let held = 0
  const open = new Set<Socket>()
  // A second connection has its answer, and waits to be used again.
  const first: RequestListener = (request, response) => {
    open.add(request.socket)
    request.socket.once('close', () => open.delete(request.socket))
    held += 1
    if (held === 2) response.end('[]')
    else listener(request, response)
  }
  await withEngine(saying(first), async (socketPath) => {
    const { call } = await connect(socketPath)
    const list = (deadline: number) => call('list', deadline, (docker) => docker.listContainers())
    const late = list(200)
    await expect(list(5000)).resolves.toEqual([])
    expect(open.size).toBe(2)
    await expect(late).rejects.toMatchObject({ code: 'engine-unreachable' })
    await expect.poll(() => open.size).toBe(0)
  })
})

test('a connector connects once, and again after a failure only', async () => {
  let asked = 0
  const listener: RequestListener = (request, response) => {
    asked += 1
    if (asked === 1) request.socket.destroy()
    else good(request, response)
  }
  await withEngine(listener, async (socketPath) => {
    const connected = connector(socketPath)
    await expect(connected()).rejects.toMatchObject({ code: 'engine-unreachable' })
    const [first, second] = await Promise.all([connected(), connected()])
    expect(first).toBe(second)
    expect(await connected()).toBe(first)
    expect(asked).toBe(2)
  })
})

describe('the version that is agreed on', () => {
  test.each([
    ['1.41', '1.12', '1.41'],
    ['1.40', undefined, '1.40'],
    ['1.44', '1.24', '1.44'],
    ['1.52', '1.44', '1.44'],
    ['2.0', '1.40', '1.44'],
  ])('an engine of %s that wants at least %s: %s', (offered, least, agreed) => {
    expect(negotiate(offered, least)).toBe(agreed)
  })

  test.each([
    ['1.39', '1.12', 'The Docker engine speaks API 1.39; 1.40 or newer is needed.'],
    ['1.9', undefined, 'The Docker engine speaks API 1.9; 1.40 or newer is needed.'],
    ['1.60', '1.45', 'The Docker engine wants API 1.45 or newer; this hal9000 speaks up to 1.44.'],
  ])('an engine of %s that wants at least %s is refused', (offered, least, message) => {
    expect(() => negotiate(offered, least)).toThrow(expect.objectContaining({ code: 'engine-unreachable', message }))
  })
})
