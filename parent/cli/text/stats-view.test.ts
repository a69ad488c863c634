import { expect, test } from 'vitest'
import { workerStats } from '../testing/test-coordinator.ts'
import { statsTable } from './stats-view.ts'

test('what is used beside what may be, and dashes for what is not known or not limited', () => {
  const workers = [
    workerStats(),
    workerStats({
      name: 'free',
      project: '/home/u/work',
      cpu: { cores: 11.5, limit: null },
      memory: { bytes: 1.5 * 2 ** 30, limit: null },
      processes: { current: 1234, limit: null },
    }),
    workerStats({
      name: 'blind',
      cpu: { cores: null, limit: 0.5 },
      memory: { bytes: null, limit: 512 * 2 ** 20 },
      processes: { current: null, limit: 100 },
    }),
  ]
  expect(statsTable(workers)).toBe(`NAME   PROJECT       CPU      CPU%  MEMORY   MEM%  PROCESSES
w1     /proj         0.52/2   26%   120m/4g  3%    7/100
free   /home/u/work  11.50/-  -     1.5g/-   -     1234/-
blind  /proj         -/0.5    -     -/512m   -     -/100
`)
})

test('names and projects give way on a narrow terminal, figures do not', () => {
  const lines = statsTable([workerStats({ name: 'n'.repeat(40), project: `/${'p'.repeat(40)}` })], 60).split('\n')
  expect(lines[1]).toMatch(/^n+…  …p+  0\.52\/2  26%   120m\/4g  3%    7\/100$/)
  expect(lines[1]?.length).toBeLessThanOrEqual(60)
})
