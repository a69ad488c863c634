import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Identity, isPid, lookFor } from './identity.ts'

const BOOT = '382d16f7-10ad-4759-bd06-eb633bddf085'
const OWNER: Identity = { pid: 123, startTime: 456, bootId: BOOT, pidNamespace: 'pid:[4026531836]' }

let proc: string
beforeEach(async () => {
  proc = await mkdtemp(join(tmpdir(), 'proc-'))
  await mkdir(join(proc, 'sys/kernel/random'), { recursive: true })
  await writeFile(join(proc, 'sys/kernel/random/boot_id'), `${BOOT}\n`)
  await mkdir(join(proc, 'self/ns'), { recursive: true })
  await symlink('pid:[4026531836]', join(proc, 'self/ns/pid'))
})
afterEach(async () => await rm(proc, { recursive: true }))

/** A process as proc(5) shows it; the name may be hostile. */
async function process(pid: number, state: string, startTime: number, name = 'node'): Promise<void> {
  const after = Array.from({ length: 18 }, (_, index) => index)
  await mkdir(join(proc, String(pid)), { recursive: true })
  await writeFile(join(proc, String(pid), 'stat'), `${pid} (${name}) ${state} ${after.join(' ')} ${startTime} 0 0\n`)
}

test.each([
  ['S', 'alive'],
  ['R', 'alive'],
  ['D', 'alive'],
  ['T', 'stopped'],
  ['t', 'stopped'],
  ['Z', 'gone'],
  ['X', 'gone'],
])('a process in the state %s is %s', async (state, seen) => {
  await process(123, state, 456)
  expect(await lookFor(OWNER, proc)).toBe(seen)
})

test('a process that is not there is gone, and nobody else is looked at', async () => {
  // Not to be read as a process: whoever walks the table fails here.
  await mkdir(join(proc, '124', 'stat'), { recursive: true })
  expect(await lookFor(OWNER, proc)).toBe('gone')
})

test('a pid that was given again is another process', async () => {
  await process(123, 'S', 457)
  expect(await lookFor(OWNER, proc)).toBe('another')
})

test('a process is told by the fields after the last bracket of its name', async () => {
  await process(123, 'S', 456, 'x) Z 1 1 (1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 99)')
  expect(await lookFor(OWNER, proc)).toBe('alive')
})

test.each([{ bootId: '00000000-10ad-4759-bd06-eb633bddf085' }, { pidNamespace: 'pid:[1]' }])(
  'a pid of %o means nothing here',
  async (change) => {
    await process(123, 'S', 456)
    expect(await lookFor({ ...OWNER, ...change }, proc)).toBe('elsewhere')
  },
)

test.each([-1, 0, 1, 1.5, 4_194_305, 2 ** 31, Number.NaN, '123', '', null, undefined])(
  'no signal may be sent to %j',
  (value) => expect(isPid(value)).toBe(false),
)

test.each([2, 123, 4_194_304])('a signal may be sent to %d', (value) => expect(isPid(value)).toBe(true))
