import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { checkDiskRoom, isFull } from './disk-room.ts'

test('a directory with room takes spawns; where it cannot be told, that is no reason against them', async () => {
  expect([await isFull(tmpdir()), await isFull('/no/such/directory')]).toEqual([false, false])
  await checkDiskRoom(tmpdir())
})

test('a file system without a free block is full, and named', async () => {
  // It has no blocks at all.
  expect(await isFull('/proc')).toBe(true)
  await expect(checkDiskRoom('/proc')).rejects.toMatchObject({
    code: 'not-ready',
    message: 'The state directory /proc is full.',
  })
})
