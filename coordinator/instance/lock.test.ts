import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lstat } from 'node:fs/promises'
import { claimOf, isIntact, ownLock } from './lock.ts'

const FLOCK = 'pos:\t0\nflags:\t02100000\nlock:\t1: FLOCK  ADVISORY  WRITE 123 00:15:7 0 EOF\n'

let directory: string
let home: string
let proc: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-'))
  home = join(directory, 'home')
  proc = join(directory, 'proc')
  path = join(home, 'coordinator.lock')
  await mkdir(home)
  await writeFile(path, '')
})
afterEach(async () => await rm(directory, { recursive: true }))

async function open(descriptor: number, target: string, information: string): Promise<void> {
  await mkdir(join(proc, '123', 'fd'), { recursive: true })
  await mkdir(join(proc, '123', 'fdinfo'), { recursive: true })
  await symlink(target, join(proc, '123', 'fd', String(descriptor)))
  await writeFile(join(proc, '123', 'fdinfo', String(descriptor)), information)
}

describe('a process holds the lock', () => {
  test('when the kernel shows the lock on the lock file, among other open files', async () => {
    await open(1, '/dev/null', '')
    await open(4, path, FLOCK)
    expect(await claimOf(123, home, proc)).toBe('held')
  })

  test.each([
    ['it has no open files that we may see', async () => {}],
    ['it has the file open and no lock', () => open(4, path, 'pos:\t0\n')],
    ['its lock is a shared one', () => open(4, path, FLOCK.replace('WRITE', 'READ'))],
    ['its lock is on another file', () => open(4, join(home, 'redis.lock'), FLOCK)],
  ])('not when %s', async (_, make) => {
    await writeFile(join(home, 'redis.lock'), '')
    await make()
    expect(await claimOf(123, home, proc)).toBe('none')
  })
})

test('a process that was started without the lock is told so', async () => {
  await expect(ownLock(home)).rejects.toMatchObject({ code: 'instance-locked', exitCode: 10 })
})

describe('a lock file', () => {
  test('is intact while it is the one that was locked', async () => {
    expect(await isIntact(home, await lstat(path))).toBe(true)
  })

  test('is not when it was removed, with or without its directory', async () => {
    const locked = await lstat(path)
    await rm(path)
    expect(await isIntact(home, locked)).toBe(false)
    await rm(home, { recursive: true })
    expect(await isIntact(home, locked)).toBe(false)
  })

  test('is not when another file, or a link to it, took its place', async () => {
    const locked = await lstat(path)
    await rename(path, join(home, 'moved'))
    await symlink('moved', path)
    expect(await isIntact(home, locked)).toBe(false)
    await rm(path)
    await writeFile(path, '')
    expect(await isIntact(home, locked)).toBe(false)
  })

  test('is neither when that cannot be told', async () => {
    expect(await isIntact(`${home}/${'x'.repeat(300)}`, await lstat(path))).toBe(undefined)
  })
})
