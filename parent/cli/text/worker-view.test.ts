import { expect, test } from 'vitest'
import type { Worker } from '../../../coordinator/contract/worker.ts'
import { worker } from '../testing/test-coordinator.ts'
import { limitsText, stateText, workerTable } from './worker-view.ts'
import { width } from './width.ts'

const NOW = Date.parse('2030-01-01T03:10:01Z')
const workers = [
  worker(),
  worker({
    name: 'claude-in-a-long-named-one',
    project: '/home/somebody/code/customers/northwind/frontend',
    command: ['claude', '-p', 'read the docs\nand write tests'],
    conditions: ['needs-input'],
    attached: 2,
    limits: { memory: 1.5 * 2 ** 30, cpus: null, pids: 4096 },
  }),
  worker({
    name: 'w3',
    state: 'ended',
    reason: 'oom',
    exitCode: 137,
    endedAt: '2030-01-01T03:09:00Z',
    limits: { memory: null, cpus: null, pids: null },
  }),
]

test('a table of 80 columns', () => {
  const text = workerTable(workers, NOW, 80)
  expect(text).toBe(
    `NAME        STATE          PROJECT    COMMAND    UP/ENDED  LIMITS       ATTACHED
w1          running        /proj      sleep 9    3 h       4g/2/100     -
claude-in…  … needs-input  …frontend  claude -…  3 h       1.5g/-/4096  2
w3          oom 137        /proj      sleep 9    1 m ago   none         -
`,
  )
  for (const line of text.split('\n')) expect(width(line)).toBeLessThanOrEqual(80)
})

test('without a limit nothing is cut, and a line feed in a command makes no line', () => {
  const text = workerTable(workers, NOW)
  expect(text.split('\n')).toHaveLength(5)
  expect(text).toContain('/home/somebody/code/customers/northwind/frontend')
  expect(text).toContain(String.raw`claude -p 'read the docs\nand write tests'`)
  expect(text).toContain('running needs-input')
})

test.each<[Partial<Worker>, string]>([
  [{ state: 'running', conditions: ['network-lost', 'limit-hit'] }, 'running network-lost limit-hit'],
  [{ state: 'ended', reason: 'exited', exitCode: 0, oomKills: 0, pidsLimitHits: 0 }, 'exited 0'],
  [{ state: 'ended', reason: 'exited', exitCode: 139, signal: 'SEGV' }, 'exited 139 SEGV'],
  [{ state: 'ended', reason: 'exited', exitCode: 0, oomKills: 1 }, 'exited 0 limit-hit'],
  [{ state: 'ended', reason: 'stopped', exitCode: 1, pidsLimitHits: 1 }, 'stopped 1 limit-hit'],
  [{ state: 'ended', reason: 'oom', exitCode: 137, signal: 'KILL', oomKills: 1 }, 'oom 137 KILL'],
  [{ state: 'ended', reason: 'failed', exitCode: null }, 'failed'],
])('a state with what there is to say of it: %j', (change, text) => {
  expect(stateText(worker(change))).toBe(text)
})

test('no workers: the titles alone', () => {
  expect(workerTable([], NOW, 80)).toBe('NAME  STATE  PROJECT  COMMAND  UP/ENDED  LIMITS  ATTACHED\n')
})

test.each([
  [{ memory: 512 * 2 ** 20, cpus: 0.5, pids: null }, '512m/0.5/-'],
  [{ memory: null, cpus: null, pids: null }, 'none'],
])('limits %j', (limits, expected) => {
  expect(limitsText(limits)).toBe(expected)
})
