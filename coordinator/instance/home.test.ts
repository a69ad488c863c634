import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { homeTrouble } from './home.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
})
afterEach(async () => await rm(home, { recursive: true }))

test('a directory that takes a file has no trouble, and nothing is left in it', async () => {
  expect(await homeTrouble(home)).toBe(undefined)
  expect(await readdir(home)).toEqual([])
})

test('one that is not there, or is none, is named', async () => {
  expect(await homeTrouble(join(home, 'none'))).toBe(`The state directory ${home}/none is not there.`)
  await writeFile(join(home, 'file'), '')
  expect(await homeTrouble(join(home, 'file'))).toBe(`The state directory ${home}/file is no directory.`)
})
