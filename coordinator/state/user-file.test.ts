import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readUserFile } from './user-file.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'user-file-'))
})
afterEach(async () => await rm(home, { recursive: true }))

test('there is none, or its text', async () => {
  expect(await readUserFile(home)).toBeNull()
  await mkdir(join(home, 'config'))
  expect(await readUserFile(home)).toBeNull()
  await writeFile(join(home, 'config/hal9000.json'), '{}')
  expect(await readUserFile(home)).toBe('{}')
})

test('one that cannot be read is not taken for none', async () => {
  await mkdir(join(home, 'config/hal9000.json'), { recursive: true })
  await expect(readUserFile(home)).rejects.toMatchObject({
    code: 'invalid-value',
    message: expect.stringMatching(/^config\/hal9000\.json in the state directory cannot be read: EISDIR/),
  })
})
