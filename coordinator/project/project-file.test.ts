import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readProjectFile } from './project-file.ts'

let project: string
let file: string
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'project-file-'))
  file = join(project, 'hal9000.json')
})
afterEach(async () => await rm(project, { recursive: true }))

test('there is none', async () => {
  expect(await readProjectFile(project)).toBeNull()
})

test('it is read up to its bound', async () => {
  const text = `"${'ü'.repeat(32_767)}"`
  await writeFile(file, text)
  expect(await readProjectFile(project)).toEqual({ text })
  await writeFile(file, `${text} `)
  expect(await readProjectFile(project)).toEqual({ unusable: 'is larger than 64 KiB' })
})

test('a link is not followed, wherever it leads', async () => {
  await symlink('nothing', file)
  expect(await readProjectFile(project)).toEqual({ unusable: 'is a link, and links are not followed' })
})

test('a directory is no file', async () => {
  await mkdir(file)
  expect(await readProjectFile(project)).toEqual({ unusable: 'is not a file' })
})
