import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RequestId } from '../../coordinator/contract/names.ts'
import type { Spawned, Status } from '../../coordinator/contract/worker.ts'
import { anOrder } from '../../coordinator/domain/testing.ts'
import { SpawnQueue } from '../../coordinator/queue/spawn-queue.ts'
import { fenceOf } from '../../coordinator/store/fence.ts'
import { parentLog } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { succeed, until } from '../support/run.ts'
import { shown } from '../support/traces.ts'

/** From one canary to the verdict over the next but one, on a busy machine. Milliseconds. */
const NOTICED = 60_000
const STUCK = 'Redis answers, and nothing that waits in its queue is handed out.'

let instance: Instance
let project: string
let folder: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  folder = await mkdtemp(join(tmpdir(), 'hal9000-test-'))
})
afterAll(async () => {
  await instance.down()
  await rm(folder, { recursive: true })
})

const status = () => instance.json<Status>(['status'])

/** Redis behind a door that can fall silent, without an error or an end, for those who are in. */
class Door {
  readonly #server: Server
  /** Both ends of each connection, in the order in which they came. */
  readonly #inside: [Socket, Socket][] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(path: string, redis: string): Promise<Door> {
    const server = createServer()
    const door = new Door(server)
    server.on('connection', (client) => door.#join(client, connect(redis)))
    await new Promise<void>((resolve) => void server.listen(path, resolve))
    return door
  }

  #join(client: Socket, redis: Socket): void {
    this.#inside.push([client, redis])
    client.on('data', (chunk: Buffer) => redis.write(chunk))
    client.on('close', () => redis.destroy()).on('error', () => {})
    redis.on('data', (chunk: Buffer) => client.write(chunk))
    redis.on('close', () => client.destroy()).on('error', () => {})
  }

  get inside(): number {
    return this.#inside.length
  }

  /** Nobody who is in hears or says anything from now on, but the first who came. */
  silence(): void {
    for (const socket of this.#inside.slice(1).flat()) socket.removeAllListeners('data').pause()
  }

  close(): void {
    this.#server.close()
  }
}

describe.concurrent('a queue that hands nothing out, though Redis answers', () => {
  test('because its consumer is deaf: its connections are given up, and the order that waited is carried out', async () => {
    const redis = `/proc/${await shown(instance.parent, '{{.State.Pid}}')}/root/run/hal9000/redis/redis.sock`
    const path = join(folder, 'redis.sock')
    const door = await Door.open(path, redis)
    const queue = new SpawnQueue({
      redis: { path },
      instance: 'deaf',
      key: Buffer.alloc(32, 7),
      fence: fenceOf('deaf', 1),
      onLostLock: () => {},
      onError: () => {},
    })
    try {
      await until('Redis is there', async () => await queue.depth().catch(() => false))
      const taken: string[] = []
      await queue.start(async ({ request }): Promise<Spawned> => {
        taken.push(request)
        return { worker: {}, notices: [], timings: {} } as unknown as Spawned
      })
      // The producer came first; then the consumer, with a connection for what blocks and one for the rest.
      await until('it waits for a job', async () => door.inside === 3)
      door.silence()
      const request = RequestId.parse('r-while-it-was-deaf')
      const { settled } = await queue.add(anOrder('w1', { request }))
      await settled
      expect(taken).toEqual([request])
      expect(queue.trouble).toBeUndefined()
    } finally {
      await queue.close(1_000)
      door.close()
    }
  })

  test('is told where a new consumer changes nothing: it is not ready, and is again once the queue moves', async () => {
    const redis = (...words: string[]) =>
      succeed('docker', ['exec', instance.parent, 'redis-cli', '-s', '/run/hal9000/redis/redis.sock', ...words])
    const meta = `hal9000:${instance.name}:spawn:meta`
    // As a tool for BullMQ pauses a queue.
    await redis('hset', meta, 'paused', '1')
    await until('it is told', async () => (await status()).problems.includes(STUCK), NOTICED)
    expect(await parentLog(instance)).toContain('with new connections from now on')
    expect(await instance.exec(['coordinator', 'status'])).toMatchObject({ stdout: expect.stringContaining(STUCK) })
    await redis('hdel', meta, 'paused')
    expect(await instance.exec(['spawn', project, '--', 'echo', 'it moves'])).toMatchObject({ stdout: 'it moves\n' })
    expect((await status()).problems).toEqual([])
  })
}, 90_000)
