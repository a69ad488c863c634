import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { damagedCopies, damageText, untoldCopies } from './damaged-redis.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'state-'))
})
afterEach(async () => await rm(home, { recursive: true }))

async function setAside(name: string, outcome?: string): Promise<string> {
  const path = join(home, 'redis', name)
  await mkdir(path, { recursive: true })
  if (outcome !== undefined) await writeFile(join(path, 'outcome'), `${outcome}\n`)
  return path
}

test('without a copy there is nothing to tell', async () => {
  expect([await damagedCopies(home), await untoldCopies(home)]).toEqual([[], []])
})

test('copies are known by their names, oldest first, with what was made of the file', async () => {
  const second = await setAside('damaged-2026-11-29T22-40-00Z', 'it was cut')
  const first = await setAside('damaged-2026-11-29T09-00-00Z')
  await setAside('damaged-2026-11-29T23-00-00Z.part')
  await setAside('appendonlydir')
  expect(await damagedCopies(home)).toEqual([
    { path: first, outcome: 'what had been acknowledged may be lost' },
    { path: second, outcome: 'it was cut' },
  ])
  expect(damageText({ path: '/copy', outcome: 'it was cut' })).toBe(
    'the append-only file of Redis was damaged: it was cut (a copy of it as it was: /copy)',
  )
})

test('an outcome that is a link is not read', async () => {
  const path = await setAside('damaged-2026-11-29T22-40-00Z')
  await writeFile(join(home, 'secret'), 'secret')
  await symlink(join(home, 'secret'), join(path, 'outcome'))
  expect(await damagedCopies(home)).toEqual([{ path, outcome: 'what had been acknowledged may be lost' }])
})

test('each copy is told once', async () => {
  const path = await setAside('damaged-2026-11-29T22-40-00Z', 'it was cut')
  expect(await untoldCopies(home)).toEqual([{ path, outcome: 'it was cut' }])
  expect(await untoldCopies(home)).toEqual([])
  expect(await damagedCopies(home)).toHaveLength(1)
})
