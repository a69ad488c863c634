import { expect, test } from 'vitest'
import type { ContainerGuess } from './container.ts'
import { decideEnforcement } from './enforcement.ts'

const IN: ContainerGuess = { container: true, score: 8, threshold: 3, evidence: [] }
const OUT: ContainerGuess = { container: false, score: 1, threshold: 3, evidence: [] }

test.each([
  [IN, true, 'the default: in a container (score 8, threshold 3)'],
  [OUT, false, 'the default: not in a container (score 1, threshold 3)'],
])('the guess decides the default', (container, enforced, because) => {
  expect(decideEnforcement(undefined, undefined, container)).toEqual({ enforced, because, container })
})

test.each([
  ['1', true],
  ['ON', true],
  ['true', true],
  ['0', false],
  ['off', false],
  ['No', false],
])('the environment beats the guess: %s', (variable, enforced) => {
  const because = 'HAL9000_ENFORCE_SINGLE_DAEMON'
  expect(decideEnforcement(undefined, variable, enforced ? OUT : IN)).toMatchObject({ enforced, because })
})

test('the user file beats the environment, and says nothing where it has no such key', () => {
  const file = '{ "enforceSingleDaemonProcess": false, "memory": "4g" }'
  expect(decideEnforcement(file, '1', IN)).toMatchObject({
    enforced: false,
    because: 'enforceSingleDaemonProcess in config/hal9000.json',
  })
  expect(decideEnforcement('{ "memory": "4g" }', '1', OUT).enforced).toBe(true)
  expect(decideEnforcement('{}', '', IN).enforced).toBe(true)
})

test.each([
  ['{', undefined],
  ['{ "enforceSingleDaemonProcess": "yes" }', '1'],
  [undefined, 'perhaps'],
])('what is not understood is off, and says so: %s, %s', (file, variable) => {
  expect(decideEnforcement(file, variable, IN)).toMatchObject({
    enforced: false,
    because: expect.stringMatching(/^off: /),
  })
})
