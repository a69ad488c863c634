import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import { explainedByHome, homeTrouble } from './home.ts'

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

test('a failure to store is explained by a directory that takes nothing, and by no other', async () => {
  const away = new Failure('not-ready', 'Redis is away.')
  const none = join(home, 'none')
  expect(await explainedByHome(away, home)).toBe(away)
  expect(await explainedByHome(away, none)).toMatchObject({
    code: 'not-ready',
    message: `The state directory ${none} is not there.`,
    cause: away,
  })
  const refused = new Failure('queue-full', 'Too many.')
  expect(await explainedByHome(refused, none)).toBe(refused)
})
