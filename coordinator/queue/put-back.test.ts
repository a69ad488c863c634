import { EventEmitter } from 'node:events'
import type { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { fenceOf } from '../store/fence.ts'
import { putBackWhenBack } from './put-back.ts'

test('when Redis is back, first the epoch and then the orders go there, until it has taken them', async () => {
  const done: string[] = []
  const redis = Object.assign(new EventEmitter(), {
    status: 'ready',
    eval: (_script: string, _keys: number, key: string) => Promise.resolve(done.push(key)),
  })
  let trouble = true
  const putBack = async (): Promise<void> => {
    if (trouble) {
      trouble = false
      throw new Error('not yet')
    }
    done.push('orders')
  }
  putBackWhenBack(redis as unknown as Redis, fenceOf('i', 7), { putBack })
  redis.emit('ready')
  await vi.waitFor(() => expect(done).toEqual(['hal9000:i:epoch', 'hal9000:i:epoch', 'orders']))
})
