import { expect, test } from 'vitest'
import { admit, type Capacity } from './admission.ts'

const NONE: Capacity = { maxWorkers: 0, memoryBudget: null, cpuBudget: null }
const small = { memory: 1024, cpus: 1, pids: 10 }
const unlimited = { memory: null, cpus: null, pids: null }

test('without bounds everyone is admitted', () => {
  expect(
    admit(
      NONE,
      Array.from({ length: 1000 }, () => unlimited),
      unlimited,
    ),
  ).toEqual({ admit: true })
  expect(admit({ maxWorkers: 0, memoryBudget: 0, cpuBudget: 0 }, [unlimited], unlimited)).toEqual({ admit: true })
})

test('the last place is given, and the next one waits', () => {
  const capacity = { ...NONE, maxWorkers: 2 }
  expect(admit(capacity, [small], small)).toEqual({ admit: true })
  expect(admit(capacity, [small, small], small)).toEqual({
    admit: false,
    because: '2 of 2 workers run (HAL9000_MAX_WORKERS)',
    ever: true,
  })
})

test('a budget may be used to its last byte, and not one more', () => {
  const capacity = { ...NONE, memoryBudget: 2048 }
  expect(admit(capacity, [small], small)).toEqual({ admit: true })
  expect(admit(capacity, [small], { ...small, memory: 1025 })).toEqual({
    admit: false,
    because: 'the memory budget is used up (HAL9000_MEMORY_BUDGET)',
    ever: true,
  })
})

test('fractions of cores that add up to the budget fit', () => {
  const share = (cpus: number) => ({ ...small, cpus })
  expect(admit({ ...NONE, cpuBudget: 0.6 }, [share(0.1), share(0.2)], share(0.3))).toEqual({ admit: true })
  expect(admit({ ...NONE, cpuBudget: 0.6 }, [share(0.1), share(0.2)], share(0.31))).toMatchObject({
    admit: false,
    because: 'the cpus budget is used up (HAL9000_CPU_BUDGET)',
  })
})

test('a worker without a limit could use all of a budget, and counts so', () => {
  const capacity = { ...NONE, memoryBudget: 2048 }
  expect(admit(capacity, [], unlimited)).toEqual({ admit: true })
  expect(admit(capacity, [small], unlimited)).toMatchObject({ admit: false, ever: true })
  expect(admit(capacity, [unlimited], small)).toMatchObject({ admit: false, ever: true })
})

test('what is above a whole budget never fits, and is told so even while all places are taken', () => {
  const capacity = { maxWorkers: 1, memoryBudget: 512, cpuBudget: null }
  const never = {
    admit: false,
    because: 'its memory limit is above the whole budget (HAL9000_MEMORY_BUDGET)',
    ever: false,
  }
  expect(admit(capacity, [], small)).toEqual(never)
  expect(admit(capacity, [small], small)).toEqual(never)
  expect(admit({ ...NONE, cpuBudget: 0.5 }, [], small)).toMatchObject({ ever: false })
})
