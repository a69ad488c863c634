import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { RequestId } from '../../coordinator/contract/names.ts'
import type { Spawned } from '../../coordinator/contract/worker.ts'
import type { SpawnOrder } from '../../coordinator/domain/spawn-order.ts'
import { anOrder } from '../../coordinator/domain/testing.ts'
import { SpawnQueue } from '../../coordinator/queue/spawn-queue.ts'
import { EventLog } from '../../coordinator/store/event-log.ts'
import { claimEpoch, type Fence, fenceOf, raiseEpoch } from '../../coordinator/store/fence.ts'
import { openRedis } from '../../coordinator/store/redis.ts'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'
import { shown } from '../support/traces.ts'

/** The embedded Redis of a parent, reached through its root directory; the two coordinators are only their writing halves. */
let instance: Instance
let path: string
let looking: Redis
/** A name of its own for each test: its own keys. */
let name: string
let old: Half
let fresh: Half

type Half = { fence: Fence; redis: Redis; events: EventLog; queue: SpawnQueue }

beforeAll(async () => {
  instance = await Instance.up()
  path = `/proc/${await shown(instance.parent, '{{.State.Pid}}')}/root/run/hal9000/redis/redis.sock`
  looking = new Redis({ path })
})
beforeEach(async () => {
  name = `fence-${randomBytes(3).toString('hex')}`
  old = half(1)
  fresh = half(2)
  await claimEpoch(old.redis, old.fence)
})
afterEach(async () => {
  for (const { redis, queue } of [old, fresh]) {
    await queue.close(2_000)
    redis.disconnect()
  }
})
afterAll(async () => {
  looking?.disconnect()
  await instance.down()
})

function half(epoch: number): Half {
  const fence = fenceOf(name, epoch)
  const redis = openRedis({ path }, () => {})
  const key = Buffer.alloc(32, 7)
  const queue = new SpawnQueue({ redis: { path }, instance: name, key, fence, onLostLock: () => {}, onError: () => {} })
  return { fence, redis, events: new EventLog(redis, name, fence), queue }
}

function order(): SpawnOrder {
  return anOrder('w1', { request: RequestId.parse(`r${randomBytes(8).toString('hex')}`) })
}

const event = (message: string) =>
  ({ kind: 'coordinator-started', worker: null, project: null, request: null, message }) as const
const spawned = (): Promise<Spawned> => Promise.resolve({ worker: {}, notices: [], timings: {} } as unknown as Spawned)
const messages = async () => (await fresh.events.read({ tail: 100 })).events.map(({ message }) => message)
/** Everything that is in Redis of this test, but for how long it lives. */
const content = async () => {
  const keys = (await looking.keys(`hal9000:${name}:*`)).toSorted()
  return await Promise.all(keys.map(async (key) => [key, (await looking.dumpBuffer(key))?.toString('hex')]))
}

test('the first one writes, and the next one only from its claim on', async () => {
  old.events.add(event('one'))
  await old.events.flush()
  await old.queue.add(order())
  await expect(fresh.queue.add(order())).rejects.toMatchObject({
    code: 'not-ready',
    message: 'Another coordinator holds this instance in Redis.',
  })
  expect(await claimEpoch(fresh.redis, fresh.fence)).toBe(1)
  await fresh.queue.add(order())
  fresh.events.add(event('two'))
  await fresh.events.flush()
  expect(await messages()).toEqual(['one', 'two'])
  expect(await fresh.queue.depth()).toEqual({ waiting: 2, active: 0 })
})

test('one that was succeeded changes nothing in Redis, whatever it tries', async () => {
  await old.queue.add(order())
  await claimEpoch(fresh.redis, fresh.fence)
  const before = await content()
  old.events.add(event('late'))
  await old.events.flush()
  await expect(old.queue.add(order())).rejects.toMatchObject({ code: 'not-ready' })
  let done = 0
  const refused = old.queue.start(() => {
    done += 1
    return spawned()
  })
  await expect(refused).rejects.toMatchObject({ code: 'not-ready' })
  // Time for the worker to take the job, if it could.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(await raiseEpoch(old.redis, old.fence)).toBe(2)
  expect([done, await content()]).toEqual([0, before])
})

test('work that is finished after the claim is not recorded by the one who did it, but done by the next', async () => {
  const finish = Promise.withResolvers<Spawned>()
  const taken = Promise.withResolvers<void>()
  const { request } = order()
  await old.queue.start(() => {
    taken.resolve()
    return finish.promise
  })
  await old.queue.add({ ...order(), request })
  await taken.promise
  await claimEpoch(fresh.redis, fresh.fence)
  finish.resolve(await spawned())
  let done = 0
  await fresh.queue.start(() => {
    done += 1
    return spawned()
  })
  await until('it is done again', async () => done === 1, 20_000)
  await until('it is recorded', async () => (await fresh.queue.depth()).active === 0)
  expect(await (await fresh.queue.answer(request))?.settled).toMatchObject({ notices: [] })
}, 60_000)

test('who asks again before Redis has the answer gets it all the same', async () => {
  await old.queue.start(spawned)
  for (let turn = 0; turn < 20; turn += 1) {
    const again = order()
    const { settled } = await old.queue.add(again)
    const answer = await settled
    expect(await (await old.queue.answer(again.request))?.settled).toEqual(answer)
    expect(await old.queue.settled(again.request)).toEqual(answer)
  }
})

test('an emptied Redis takes whoever comes, and the greater epoch in the end', async () => {
  await claimEpoch(fresh.redis, fresh.fence)
  await looking.del(fresh.fence.key)
  fresh.events.add(event('after'))
  await fresh.events.flush()
  expect(await messages()).toEqual(['after'])
  expect(await raiseEpoch(old.redis, old.fence)).toBe(0)
  expect(await raiseEpoch(fresh.redis, fresh.fence)).toBe(1)
  expect(await raiseEpoch(old.redis, old.fence)).toBe(2)
})
