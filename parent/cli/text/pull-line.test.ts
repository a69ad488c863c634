import { expect, test } from 'vitest'
import type { Pull } from '../../../coordinator/contract/pull.ts'
import type { Context } from '../context.ts'
import { testWorld, type TestWorld } from '../testing/test-world.ts'
import { PullLine } from './pull-line.ts'

const MIB = 2 ** 20
const PULL: Pull = { image: 'ghcr.io/me/worker:1', layers: 7, done: 3, bytes: 0, total: 45 * MIB }
const ANEW = '\r\u001b[K'

/** What is told when so many MiB have come, each some time after the one before; milliseconds. */
function told(world: TestWorld, steps: readonly (readonly [number, number])[], json = false): string {
  let now = 0
  const say = (line: string): void => {
    if (!json) world.stderr.write(`${line}\n`)
  }
  const context = Object.assign(world, { now: () => now, say, json }) as unknown as Context
  const line = new PullLine(context)
  for (const [later, mib] of steps) {
    now += later
    line.show({ ...PULL, bytes: mib * MIB })
  }
  line.end()
  return world.err()
}

const words = (mib: number): string => `pulling ghcr.io/me/worker:1: ${mib} MiB of 45 MiB, 3 of 7 layers`
const STEPS = [
  [0, 12],
  [2_500, 13],
  [2_500, 14],
  [9_000, 14],
] as const

test('off a terminal a line is told now and then, and nothing twice', () => {
  expect(told(testWorld(), STEPS)).toBe(`${words(12)}\n${words(14)}\n`)
  expect(told(testWorld({ TERM: 'dumb' }, true), STEPS)).toBe(`${words(12)}\n${words(14)}\n`)
})

test.each([
  ['ours', testWorld({}, true), 100],
  ["the launcher's", testWorld({ HAL9000_STDERR_TERMINAL: '1', HAL9000_COLUMNS: '40' }), 40],
])('on a terminal, %s, one line is rewritten, and is gone afterwards', (_whose, world, width) => {
  const lines = [12, 13, 14].map((mib) => ANEW + words(mib).slice(0, width - 1))
  expect(told(world, STEPS)).toBe(lines.join('') + ANEW)
})

test('of a pull that nobody heard of nothing is left, and with --json nothing is told', () => {
  expect([told(testWorld({}, true), []), told(testWorld({}, true), STEPS, true)]).toEqual(['', ''])
})
