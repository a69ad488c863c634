import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keepEpoch, nextEpoch } from './epoch.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'epoch-'))
})
afterEach(async () => await rm(home, { recursive: true }))

test('every holder has a greater one, also above one that was learnt', async () => {
  expect([await nextEpoch(home), await nextEpoch(home)]).toEqual([1, 2])
  await keepEpoch(home, 40)
  expect(await nextEpoch(home)).toBe(41)
  expect(await readFile(join(home, 'epoch'), 'utf8')).toBe('41\n')
})

test.each(['', '0\n', '-5\n', '+5\n', '5', '1_0\n', '1.5\n', '1e3\n', `${'9'.repeat(16)}\n`, 'x'.repeat(100_000)])(
  'what is no epoch counts as lost: %.20j',
  async (content) => {
    await writeFile(join(home, 'epoch'), content)
    expect(await nextEpoch(home)).toBe(1)
  },
)

test('a link in its place is replaced, and what it leads to stays', async () => {
  await writeFile(join(home, 'target'), '7\n')
  await symlink('target', join(home, 'epoch'))
  expect(await nextEpoch(home)).toBe(1)
  expect(await readFile(join(home, 'target'), 'utf8')).toBe('7\n')
})

test('one that cannot be kept is not taken', async () => {
  await mkdir(join(home, 'epoch'))
  await expect(nextEpoch(home)).rejects.toThrow('EISDIR')
})
