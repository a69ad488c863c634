import { expect, test } from 'vitest'
import { usageOf } from './usage.ts'

/** As Docker 20.10 answers on cgroup v1, a second after the sample before. */
const SAMPLE = {
  read: '2026-03-01T12:00:01.500000000Z',
  preread: '2026-03-01T12:00:00.500000000Z',
  pids_stats: { current: 39, limit: 100 },
  cpu_stats: { cpu_usage: { total_usage: 6_750_400_000 }, system_cpu_usage: 23_582_780_000_000, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 6_000_000_000 }, system_cpu_usage: 23_580_830_000_000, online_cpus: 2 },
  memory_stats: {
    usage: 100_000_000,
    max_usage: 102_723_584,
    stats: { cache: 8_753_152, inactive_file: 40_000, total_inactive_file: 1_000_000 },
    limit: 25_276_510_208,
  },
}

test('cores are processor time by passed time, memory is without the cache of cgroup v1', () => {
  expect(usageOf(SAMPLE)).toEqual({ cores: 0.75, memory: 99_000_000, pids: 39 })
})

test('cgroup v2 knows the cache by another name', () => {
  const memory_stats = { usage: 100_000_000, stats: { inactive_file: 4_000_000, anon: 90_000_000 } }
  expect(usageOf({ ...SAMPLE, memory_stats })?.memory).toBe(96_000_000)
})

test.each([
  ['more cache than use: the use', { usage: 1000, stats: { total_inactive_file: 2000 } }, 1000],
  ['no statistics: the use', { usage: 1000 }, 1000],
  ['a controller that is off: not known', {}, null],
])('memory, %s', (_what, memory_stats, memory) => {
  expect(usageOf({ ...SAMPLE, memory_stats })?.memory).toBe(memory)
})

test('processes that are not counted are not known', () => {
  expect(usageOf({ ...SAMPLE, pids_stats: {} })?.pids).toBeNull()
})

test.each([
  ['there is no sample before', { preread: '0001-01-01T00:00:00Z' }],
  ['no time has passed', { preread: SAMPLE.read }],
  ['the count began anew', { precpu_stats: { cpu_usage: { total_usage: 7_000_000_000 } } }],
])('cores are not known where %s', (_what, change) => {
  expect(usageOf({ ...SAMPLE, ...change })).toEqual({ cores: null, memory: 99_000_000, pids: 39 })
})

test('a container that does not run, or is gone, has no sample', () => {
  expect(usageOf({ ...SAMPLE, read: '0001-01-01T00:00:00Z', memory_stats: {}, pids_stats: {} })).toBeUndefined()
  expect(usageOf(Buffer.alloc(0))).toBeUndefined()
})

test('an answer that is no sample is no container without use', () => {
  expect(() => usageOf({ message: 'what?' })).toThrow('read')
})
