import { mkdir, mkdtemp, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lookAt } from './directory.ts'

let top: string
beforeAll(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'directory-')))
  await mkdir(join(top, 'mine'))
  await mkdir(join(top, 'theirs'))
  await writeFile(join(top, 'mine/hal9000.json'), '{"cpus": 1}')
})
afterAll(async () => await rm(top, { recursive: true }))

test('what is told of a directory belongs together, however often it is swapped while it is looked at', async () => {
  const mine = await stat(join(top, 'mine'))
  const over = new AbortController()
  // As an attacker does it: the name is a link to one directory, then to the other, without a moment in between.
  const swap = async (): Promise<void> => {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      await symlink(turn % 2 === 0 ? 'theirs' : 'mine', join(top, 'next'))
      await rename(join(top, 'next'), join(top, 'swapped'))
    }
  }
  await symlink('mine', join(top, 'swapped'))
  const attacker = swap()
  const seen = new Set<string>()
  for (let look = 0; look < 2000; look += 1) {
    const found = await lookAt(join(top, 'swapped'))
    if (found.type !== 'directory') throw new Error(`the link is always there, but it was ${found.type}`)
    const isMine = found.path === join(top, 'mine')
    seen.add(found.path)
    expect([found.identity === `${mine.dev}:${mine.ino}`, found.projectFile !== null]).toEqual([isMine, isMine])
  }
  over.abort()
  await attacker
  expect(seen.size).toBe(2)
})
