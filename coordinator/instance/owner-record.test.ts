import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Owner } from '../contract/owner.ts'
import { readOwnerRecord, removeOwnerRecord, writeOwnerRecord } from './owner-record.ts'

const OWNER: Owner = {
  instance: 'hal9000',
  epoch: 7,
  pid: 123,
  startTime: 456,
  bootId: '382d16f7-10ad-4759-bd06-eb633bddf085',
  pidNamespace: 'pid:[4026532953]',
  startedAt: '2030-01-01T00:00:00.000Z',
  version: '0.1.0',
}

let home: string
let path: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'owner-'))
  path = join(home, 'coordinator.json')
})
afterEach(async () => await rm(home, { recursive: true }))

test('a record is read as it was written', async () => {
  expect(await readOwnerRecord(home)).toEqual({ found: 'nothing' })
  await writeOwnerRecord(home, OWNER)
  expect(await readOwnerRecord(home)).toEqual({ found: 'owner', owner: OWNER })
})

test('an owner removes its own record, and leaves that of a successor', async () => {
  await writeOwnerRecord(home, { ...OWNER, epoch: 8 })
  await removeOwnerRecord(home, OWNER)
  expect(await readOwnerRecord(home)).toMatchObject({ owner: { epoch: 8 } })
  await removeOwnerRecord(home, { ...OWNER, epoch: 8 })
  expect(await readOwnerRecord(home)).toEqual({ found: 'nothing' })
})

const DAMAGED = { found: 'damage', because: 'is not an owner record' }

describe('a record is damage, as a whole,', () => {
  const HOSTILE = ['-1', '0', '1', '+1', '1_0', '1.5', '2147483648', '""', 'null', '[]', '{}', '', '\0', '"123"']

  test.each(HOSTILE)('when it is %j', async (content) => {
    await writeFile(path, content)
    expect(await readOwnerRecord(home)).toEqual(DAMAGED)
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  test.each(HOSTILE)('when its pid is %s', async (pid) => {
    await writeFile(path, JSON.stringify({ schema: 1, ...OWNER }).replace('"pid":123', `"pid":${pid || '""'}`))
    expect(await readOwnerRecord(home)).toEqual(DAMAGED)
  })

  test.each([
    { epoch: 0 },
    { epoch: 1.5 },
    { startTime: -1 },
    { startTime: '456' },
    { bootId: '../../etc' },
    { pidNamespace: 'pid:[]' },
    { instance: 'two words' },
    { version: '' },
    { startedAt: 'yesterday' },
    { schema: 2 },
  ])('when it has %o', async (change) => {
    await writeFile(path, JSON.stringify({ schema: 1, ...OWNER, ...change }))
    expect(await readOwnerRecord(home)).toEqual(DAMAGED)
  })
})

describe('what is in the place of a record is not touched:', () => {
  test('a link, and what it leads to', async () => {
    await writeFile(join(home, 'target'), 'mine')
    await symlink('target', path)
    expect(await readOwnerRecord(home)).toEqual({ found: 'damage', because: 'is a symbolic link' })
    await writeOwnerRecord(home, OWNER)
    expect(await readFile(join(home, 'target'), 'utf8')).toBe('mine')
    expect(await readOwnerRecord(home)).toMatchObject({ found: 'owner' })
  })

  test('a second name of another file', async () => {
    await writeFile(join(home, 'target'), JSON.stringify({ schema: 1, ...OWNER }))
    await link(join(home, 'target'), path)
    expect(await readOwnerRecord(home)).toEqual({ found: 'damage', because: 'has 2 names' })
  })

  test('a directory', async () => {
    await mkdir(path)
    expect(await readOwnerRecord(home)).toEqual({ found: 'damage', because: 'is no regular file' })
    await expect(writeOwnerRecord(home, OWNER)).rejects.toThrow('EISDIR')
  })

  test('a fifo, for whose other end nobody waits', async () => {
    execFileSync('mkfifo', [path])
    expect(await readOwnerRecord(home)).toEqual({ found: 'damage', because: 'is no regular file' })
  })

  test('10 MB, of which nothing is read', async () => {
    await writeFile(path, Buffer.alloc(10 * 1024 * 1024, '{'))
    expect(await readOwnerRecord(home)).toEqual({ found: 'damage', because: 'is larger than 4096 bytes' })
    expect((await stat(path)).size).toBe(10 * 1024 * 1024)
  })
})

test('a record that is replaced all the time is never seen damaged', async () => {
  await writeOwnerRecord(home, OWNER)
  const writer = (async () => {
    for (let epoch = 1; epoch <= 60; epoch += 1) await writeOwnerRecord(home, { ...OWNER, epoch })
  })()
  const read = new Set<string>()
  for (let turn = 0; turn < 200; turn += 1) read.add((await readOwnerRecord(home)).found)
  await writer
  expect([...read]).toEqual(['owner'])
})
