import { expect, test } from 'vitest'
import { Layers, type PullLine } from './layers.ts'

function heard(...lines: PullLine[]): object {
  const layers = new Layers()
  for (const line of lines) layers.hear(line)
  return layers.progress
}

const downloading = (id: string, current: number, total: number): PullLine => ({
  id,
  status: 'Downloading',
  progressDetail: { current, total },
})

test('nothing is known before the first layer is told of', () => {
  expect(heard({ status: 'Pulling from me/worker', id: 'latest' }, { status: 'Digest: sha256:12' })).toEqual({
    layers: 0,
    done: 0,
    bytes: 0,
    total: 0,
  })
})

test('what there is to receive is known once it is of every layer', () => {
  const begun = [
    { id: 'a', status: 'Already exists' },
    { id: 'b', status: 'Pulling fs layer', progressDetail: {} },
    { id: 'c', status: 'Waiting', progressDetail: {} },
    downloading('b', 10, 100),
  ]
  expect(heard(...begun)).toEqual({ layers: 3, done: 1, bytes: 10, total: null })
  expect(heard(...begun, downloading('c', 5, 50))).toEqual({ layers: 3, done: 1, bytes: 15, total: 150 })
})

test('a layer that was received is whole, and done once it is unpacked', () => {
  const received = [downloading('a', 10, 100), { id: 'a', status: 'Download complete', progressDetail: {} }]
  const unpacking = { id: 'a', status: 'Extracting', progressDetail: { current: 1, total: 100 } }
  expect(heard(...received)).toEqual({ layers: 1, done: 0, bytes: 100, total: 100 })
  expect(heard(...received, unpacking)).toEqual({ layers: 1, done: 0, bytes: 100, total: 100 })
  expect(heard(...received, unpacking, { id: 'a', status: 'Pull complete' })).toEqual({
    layers: 1,
    done: 1,
    bytes: 100,
    total: 100,
  })
})

test('a small layer may be whole before anything else was told of it', () => {
  expect(heard({ id: 'a', status: 'Pulling fs layer' }, { id: 'a', status: 'Pull complete' })).toEqual({
    layers: 1,
    done: 1,
    bytes: 0,
    total: 0,
  })
})

test('a download that is tried again begins anew', () => {
  const again = [downloading('a', 90, 100), { id: 'a', status: 'Retrying in 5 seconds' }, downloading('a', 10, 100)]
  expect(heard(...again)).toMatchObject({ bytes: 10, total: 100 })
})
