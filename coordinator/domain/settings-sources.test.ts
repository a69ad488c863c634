import { describe, expect, test } from 'vitest'
import { settingsFromEnvironment, settingsFromFile, settingsFromProjectFile } from './settings.ts'

describe('settings from an environment', () => {
  test('are read with their units; empty variables and others count as unset', () => {
    const environment = {
      WORKER_IMAGE: 'x:1',
      WORKER_PULL: 'missing',
      WORKER_MEMORY: '1g',
      WORKER_CPUS: '1.5',
      WORKER_PIDS_LIMIT: '',
      WORKER_TIMEOUT: '90s',
      WORKER_X: 'y',
    }
    expect(settingsFromEnvironment(environment, "caller's")).toEqual({
      image: 'x:1',
      pull: 'missing',
      memory: 2 ** 30,
      cpus: 1.5,
      timeout: 90_000,
    })
    expect(settingsFromEnvironment({}, "caller's")).toEqual({})
  })

  test.each([
    [{ WORKER_MEMORY: 'lots' }, 'WORKER_MEMORY in the caller\'s environment: "lots" is not a size such as 512m or 4g.'],
    [{ WORKER_PULL: 'sometimes' }, "WORKER_PULL in the caller's environment: must be never, missing or always."],
    [{ WORKER_CPUS: 'two' }, "WORKER_CPUS in the caller's environment: is not a number of cores such as 2 or 0.5."],
    [
      { WORKER_PIDS_LIMIT: '3' },
      "WORKER_PIDS_LIMIT in the caller's environment: must be 8 or more: the worker itself needs some processes.",
    ],
  ])('%j is refused with the name of the variable', (environment, message) => {
    expect(() => settingsFromEnvironment(environment, "caller's")).toThrow(
      expect.objectContaining({ code: 'invalid-value', message }),
    )
  })
})

describe('settings from a file', () => {
  test('are read, with sizes and times as text or as numbers', () => {
    const text =
      '{"image": "x", "memory": 1073741824, "timeout": 90, "cpus": 2, "env": {"A": "1"}, "command": ["make"]}'
    expect(settingsFromFile(text, 'hal9000.json')).toEqual({
      image: 'x',
      memory: 2 ** 30,
      timeout: 90_000,
      cpus: 2,
      env: { A: '1' },
      command: ['make'],
    })
    expect(settingsFromFile('{"memory": "1g"}', 'f').memory).toBe(2 ** 30)
  })

  test('leave out what is none of a worker, where the file may have it', () => {
    const text = '{"enforceSingleDaemonProcess": true, "cpus": 2}'
    expect(settingsFromFile(text, 'f', ['enforceSingleDaemonProcess'])).toEqual({ cpus: 2 })
    expect(() => settingsFromFile(text, 'f')).toThrow('f: Unrecognized key: "enforceSingleDaemonProcess".')
  })

  test('of a project may not decide that an image is fetched', () => {
    expect(settingsFromFile('{"pull": "missing"}', 'f')).toEqual({ pull: 'missing' })
    expect(settingsFromProjectFile('{"cpus": 2}', 'f')).toEqual({ cpus: 2 })
    for (const policy of ['missing', 'never']) {
      expect(() => settingsFromProjectFile(`{"pull": "${policy}"}`, '/p/hal9000.json')).toThrow(
        expect.objectContaining({
          code: 'invalid-value',
          message: '/p/hal9000.json: pull: a project may not decide that an image is fetched.',
        }),
      )
    }
  })

  test.each([
    ['{', '/p/hal9000.json is not valid JSON.'],
    ['null', '/p/hal9000.json: Invalid input: expected object, received null.'],
    ['[]', '/p/hal9000.json: Invalid input: expected object, received array.'],
    ['{"memroy": "1g"}', '/p/hal9000.json: Unrecognized key: "memroy".'],
    ['{"memory": "1q"}', '/p/hal9000.json: memory: "1q" is not a size such as 512m or 4g.'],
    ['{"memory": "1m"}', '/p/hal9000.json: memory: must be 16m or more.'],
    ['{"env": {"A B": "1"}}', '/p/hal9000.json: env.A B: an environment name is letters, digits and _.'],
    ['{"mounts": ["/"]}', '/p/hal9000.json: Unrecognized key: "mounts".'],
  ])('%s is refused with the name of the file', (text, message) => {
    expect(() => settingsFromFile(text, '/p/hal9000.json')).toThrow(
      expect.objectContaining({ code: 'invalid-value', message }),
    )
  })
})
