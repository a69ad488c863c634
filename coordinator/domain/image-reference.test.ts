import { expect, test } from 'vitest'
import { imageMissing, isBuiltHere, withTag } from './image-reference.ts'

test.each([
  ['hal9000/worker:0.1.0', true],
  ['docker.io/hal9000/worker', true],
  ['index.docker.io/hal9000/worker', true],
  ['hal9000', false],
  ['ghcr.io/hal9000/worker', false],
  ['127.0.0.1:5000/hal9000/worker:1', false],
  ['hal9000.example/worker', false],
])('%s is built here: %s', (reference, ours) => {
  expect(isBuiltHere(reference)).toBe(ours)
  expect(imageMissing(reference)).toMatchObject({
    code: 'image-missing',
    hint: ours ? './hal9000 build' : `have it pulled with --pull missing, or by docker pull ${reference}`,
  })
})

test.each([
  ['worker', 'worker:latest'],
  ['127.0.0.1:5000/worker', '127.0.0.1:5000/worker:latest'],
  ['127.0.0.1:5000/worker:1', '127.0.0.1:5000/worker:1'],
  [`worker@sha256:${'ab'.repeat(32)}`, `worker@sha256:${'ab'.repeat(32)}`],
])('%s means %s', (reference, meant) => {
  expect(withTag(reference)).toBe(meant)
})
