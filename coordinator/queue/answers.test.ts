import { expect, test } from 'vitest'
import { Answers } from './answers.ts'
import { Failure } from '../contract/failure.ts'
import type { Spawned } from '../contract/worker.ts'
import { anOrder } from '../domain/testing.ts'

const spawned = (notice: string) => ({ notices: [notice] }) as unknown as Spawned
const failure = new Failure('interrupted', 'Taken back.')
const { request } = anOrder('w1')

test('all who ask for an answer get it: before it is given, and after', async () => {
  const answers = new Answers()
  const before = [answers.of(request), answers.of(request)]
  expect(answers.known(request)).toBeUndefined()
  answers.give(request, spawned('one'))
  const all = [...before, answers.of(request)]
  expect(await answers.known(request)).toEqual(spawned('one'))
  expect(await Promise.all(all)).toEqual(all.map(() => spawned('one')))
})

test('the first answer stands', async () => {
  const answers = new Answers()
  answers.give(request, spawned('one'))
  answers.give(request, failure)
  answers.takeBack('another', failure)
  answers.give('another', spawned('two'))
  expect(await answers.of(request)).toEqual(spawned('one'))
  await expect(answers.of('another')).rejects.toBe(failure)
})

test('an order is owed until it is answered, taken back or refused', () => {
  const orders = ['given', 'failed', 'taken-back', 'refused', 'open'].map((name) => ({
    ...anOrder(name),
    request: name as typeof request,
  }))
  const answers = new Answers()
  for (const order of orders) answers.owe(order)
  void answers.of('nobody-acknowledged-it')
  expect(answers.owed).toEqual(orders)
  answers.give('given', spawned('one'))
  answers.give('failed', failure)
  answers.takeBack('taken-back', failure)
  answers.refuse('refused', failure)
  expect(answers.owed).toEqual(orders.slice(-1))
  answers.owe(orders[0] as (typeof orders)[0])
  expect(answers.owed).toEqual(orders.slice(-1))
})

test('what was refused may come again, and then has an answer of its own', async () => {
  const answers = new Answers()
  const first = answers.of(request)
  answers.refuse(request, failure)
  await expect(first).rejects.toBe(failure)
  expect(answers.known(request)).toBeUndefined()
  const second = answers.of(request)
  answers.give(request, spawned('two'))
  expect(await second).toEqual(spawned('two'))
})

test('the oldest answers are forgotten here', () => {
  const answers = new Answers()
  for (let index = 0; index < 300; index += 1) answers.give(`r${index}`, spawned('one'))
  const known = Array.from({ length: 300 }, (_, index) => index).filter(
    (index) => answers.known(`r${index}`) !== undefined,
  )
  expect(known).toEqual(Array.from({ length: 256 }, (_, index) => index + 44))
})
