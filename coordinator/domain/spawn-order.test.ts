import { expect, test } from 'vitest'
import { SpawnOrder } from './spawn-order.ts'
import { anOrder } from './testing.ts'

test('an order that was queued before there was input has none', () => {
  const { input: _input, ...before } = anOrder()
  expect(SpawnOrder.parse(JSON.parse(JSON.stringify(before)))).toEqual({ ...before, input: null })
})
