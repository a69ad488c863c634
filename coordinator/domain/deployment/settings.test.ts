import { expect, test } from 'vitest'
import { parentSettings, publishedPorts } from './settings.ts'

test('settings of the user go to the parent; what the parent has of its own does not', () => {
  const environment = {
    HAL9000_MAX_WORKERS: '4',
    WORKER_MEMORY: '2g',
    HAL9000_HOME: '/x',
    PATH: '/bin',
  }
  expect(parentSettings(Object.keys(environment), environment)).toEqual({
    HAL9000_MAX_WORKERS: '4',
    WORKER_MEMORY: '2g',
  })
})

test('a variable that is only in the environment of the program is no setting of the user', () => {
  expect(parentSettings([], { HAL9000_MAX_WORKERS: '4' })).toEqual({})
})

test('published ports have one form', () => {
  expect(publishedPorts('127.0.0.1:9000:9000/udp, 8080:80,[::1]:81:81')).toEqual([
    '0.0.0.0:8080:80/tcp',
    '127.0.0.1:9000:9000/udp',
    '[::1]:81:81/tcp',
  ])
  expect(publishedPorts('')).toEqual([])
  expect(publishedPorts(undefined)).toBeUndefined()
})

test.for(['80', '0:80', '80:65536', 'a:b', '1:2/sctp', '8080:80;rm'])('"%s" is no port', (text) => {
  expect(() => publishedPorts(text)).toThrow(expect.objectContaining({ exitCode: 2 }))
})
