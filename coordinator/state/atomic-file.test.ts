import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeAtomically } from './atomic-file.ts'
import { loadKey } from './key.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'state-'))
})
afterEach(async () => await rm(directory, { recursive: true }))

describe('a file written atomically', () => {
  test('has the new content, is for its owner only, and leaves nothing beside it', async () => {
    const path = join(directory, 'a.json')
    await writeAtomically(path, 'old')
    await writeAtomically(path, new Uint8Array([0, 255, 13, 10]))
    expect(await readFile(path)).toEqual(Buffer.from([0, 255, 13, 10]))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['a.json'])
  })

  test('leaves nothing behind when it cannot take its place', async () => {
    const path = join(directory, 'a.json')
    await mkdir(join(path, 'in the way'), { recursive: true })
    await expect(writeAtomically(path, 'new')).rejects.toThrow('EISDIR')
    expect(await readdir(directory)).toEqual(['a.json'])
  })

  test('leaves the old content, and nothing else, when the new cannot be written', async () => {
    const path = join(directory, 'a.json')
    await writeFile(path, 'old')
    // @ts-expect-error: what cannot be written stands for a disk that takes no more
    await expect(writeAtomically(path, 7)).rejects.toThrow(TypeError)
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(directory)).toEqual(['a.json'])
  })

  test('is never seen in part, by whoever reads while it is written again and again', async () => {
    const path = join(directory, 'a.json')
    const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000))
    await writeAtomically(path, contents[0] ?? '')
    const state = { writing: true }
    const writer = (async () => {
      for (let turn = 0; turn < 20; turn += 1) await writeAtomically(path, contents[turn % 3] ?? '')
      state.writing = false
    })()
    while (state.writing) expect(contents.includes(await readFile(path, 'utf8'))).toBe(true)
    await writer
  })

  test('by many at once is the whole of one of them', async () => {
    const path = join(directory, 'a.json')
    await Promise.all(Array.from({ length: 10 }, (_, index) => writeAtomically(path, String(index).repeat(1000))))
    expect(await readFile(path, 'utf8')).toMatch(/^(\d)\1{999}$/)
    expect(await readdir(directory)).toEqual(['a.json'])
  })
})

describe('the key', () => {
  test('is made on first use, kept, and for its owner only', async () => {
    const path = join(directory, 'key')
    const key = await loadKey(path)
    expect(key).toHaveLength(32)
    expect(await loadKey(path)).toEqual(key)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await loadKey(join(directory, 'other'))).not.toEqual(key)
  })

  test.each(['', 'short', 'x'.repeat(33)])(
    'is never replaced by another one when the file is no key (%j)',
    async (content) => {
      const path = join(directory, 'key')
      await writeFile(path, content)
      await expect(loadKey(path)).rejects.toThrow(
        `${path} is not a key of 32 bytes; move it away to have a new one made`,
      )
      expect(await readFile(path, 'utf8')).toBe(content)
    },
  )

  test('that cannot be read is not taken for missing', async () => {
    await symlink('key', join(directory, 'key'))
    await expect(loadKey(join(directory, 'key'))).rejects.toThrow('ELOOP')
  })
})
