import { expect, test } from 'vitest'
import { readEnvironment } from './environment.ts'

const DEFAULTS = {
  HAL9000_NAME: 'hal9000',
  HAL9000_HOME: '/var/lib/hal9000',
  HAL9000_SOCKET: '/run/hal9000/control.sock',
  HAL9000_DOCKER_SOCKET: '/var/run/docker.sock',
  HAL9000_REDIS_URL: '/run/hal9000/redis/redis.sock',
  HAL9000_PROJECT_ROOTS: [],
  HAL9000_HOST_HOME: '',
  HAL9000_RESTARTS: '0',
  HAL9000_MAX_WORKERS: 0,
  HAL9000_MAX_QUEUE: 100,
  HAL9000_MEMORY_BUDGET: null,
  HAL9000_CPU_BUDGET: null,
  HAL9000_KEEP_RECORDS: 1000,
  HAL9000_KEEP_AGE: 604_800_000,
  HAL9000_PULL_STALL: 60_000,
  HAL9000_KEEP_LOGS: 2 * 2 ** 30,
  HAL9000_LOG_LEVEL: 'info',
}

test('without variables the defaults hold, and what is not ours is not read', () => {
  expect(readEnvironment({ PATH: '/bin', HAL9000_SOMETHING: 'x' })).toEqual(DEFAULTS)
})

test('an empty variable counts as unset', () => {
  const empty = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, '']))
  expect(readEnvironment(empty)).toEqual(DEFAULTS)
  expect(readEnvironment({ HAL9000_NAME: undefined })).toEqual(DEFAULTS)
})

test('variables are read with their units', () => {
  expect(
    readEnvironment({
      HAL9000_NAME: 't1',
      HAL9000_PROJECT_ROOTS: '["/home/me","/srv/a b"]',
      HAL9000_MAX_WORKERS: '4',
      HAL9000_MEMORY_BUDGET: '16g',
      HAL9000_CPU_BUDGET: '3.5',
      HAL9000_KEEP_AGE: '12h',
      HAL9000_KEEP_LOGS: '5m',
      HAL9000_LOG_LEVEL: 'debug',
    }),
  ).toEqual({
    ...DEFAULTS,
    HAL9000_NAME: 't1',
    HAL9000_PROJECT_ROOTS: ['/home/me', '/srv/a b'],
    HAL9000_MAX_WORKERS: 4,
    HAL9000_MEMORY_BUDGET: 16 * 2 ** 30,
    HAL9000_CPU_BUDGET: 3.5,
    HAL9000_KEEP_AGE: 43_200_000,
    HAL9000_KEEP_LOGS: 5 * 2 ** 20,
    HAL9000_LOG_LEVEL: 'debug',
  })
})

test.each([
  ['HAL9000_NAME', 'Hal 9000', /^HAL9000_NAME: .*1 to 31 of a-z 0-9 _ \. -/],
  ['HAL9000_PROJECT_ROOTS', '/home/me', /^HAL9000_PROJECT_ROOTS: is not a JSON list of absolute paths/],
  ['HAL9000_PROJECT_ROOTS', '["home"]', /^HAL9000_PROJECT_ROOTS: is not a JSON list of absolute paths/],
  ['HAL9000_MAX_WORKERS', '-1', /^HAL9000_MAX_WORKERS: /],
  ['HAL9000_MAX_WORKERS', 'many', /^HAL9000_MAX_WORKERS: /],
  ['HAL9000_MAX_QUEUE', '1.5', /^HAL9000_MAX_QUEUE: /],
  ['HAL9000_MEMORY_BUDGET', 'lots', /^HAL9000_MEMORY_BUDGET: is not a size such as 16g/],
  ['HAL9000_CPU_BUDGET', '0', /^HAL9000_CPU_BUDGET: /],
  ['HAL9000_KEEP_AGE', 'long', /^HAL9000_KEEP_AGE: is not a duration such as 7d/],
  ['HAL9000_PULL_STALL', 'soon', /^HAL9000_PULL_STALL: is not a duration such as 7d/],
  ['HAL9000_PULL_STALL', '0', /^HAL9000_PULL_STALL: must be 1s to 24d/],
  ['HAL9000_LOG_LEVEL', 'loud', /^HAL9000_LOG_LEVEL: /],
])('%s=%s is refused with its name', (name, value, message) => {
  expect(() => readEnvironment({ [name]: value })).toThrow(
    expect.objectContaining({ code: 'invalid-value', message: expect.stringMatching(message) }),
  )
})
