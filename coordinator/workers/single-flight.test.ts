import { expect, test } from 'vitest'
import { Failure } from '../contract/failure.ts'
import { SingleFlight } from './single-flight.ts'

const LEFT = new Failure('interrupted', 'The client has gone.')

/** Work that ends when the test says so, and what was begun of it. */
function work(): {
  begun: { answer: PromiseWithResolvers<string>; abandoned: AbortSignal }[]
  begin: (abandoned: AbortSignal) => Promise<string>
} {
  const begun: { answer: PromiseWithResolvers<string>; abandoned: AbortSignal }[] = []
  return {
    begun,
    begin: (abandoned) => {
      const answer = Promise.withResolvers<string>()
      begun.push({ answer, abandoned })
      return answer.promise
    },
  }
}

const stay = new AbortController().signal

test('many that want the same cause it once and get the same, each key on its own', async () => {
  const flights = new SingleFlight<string, string>()
  const { begun, begin } = work()
  const ten = Promise.all(Array.from({ length: 10 }, () => flights.join('a', stay, begin)))
  const other = flights.join('b', stay, begin)
  expect(begun).toHaveLength(2)
  begun[0]?.answer.resolve('done')
  begun[1]?.answer.resolve('other')
  expect([await ten, await other]).toEqual([Array<string>(10).fill('done'), 'other'])
  void flights.join('a', stay, begin)
  expect(begun).toHaveLength(3)
})

test('a failure is told to all, and the next one begins anew', async () => {
  const flights = new SingleFlight<string, string>()
  const { begun, begin } = work()
  const two = [flights.join('a', stay, begin), flights.join('a', stay, begin)]
  begun[0]?.answer.reject(new Failure('pull-failed', 'No.'))
  for (const one of two) await expect(one).rejects.toMatchObject({ code: 'pull-failed' })
  const again = flights.join('a', stay, begin)
  begun[1]?.answer.resolve('done')
  expect(await again).toBe('done')
})

test('whoever leaves hears so at once; the work goes on for the others, and is given up with the last', async () => {
  const flights = new SingleFlight<string, string>()
  const { begun, begin } = work()
  const [first, second] = [new AbortController(), new AbortController()]
  const both = [flights.join('a', first.signal, begin), flights.join('a', second.signal, begin)]
  first.abort(LEFT)
  await expect(both[0]).rejects.toBe(LEFT)
  expect(begun[0]?.abandoned.aborted).toBe(false)
  second.abort(LEFT)
  await expect(both[1]).rejects.toBe(LEFT)
  expect([begun[0]?.abandoned.aborted, begun[0]?.abandoned.reason]).toEqual([true, LEFT])
})

test('whoever comes while it is given up waits for that end, and then has it done anew', async () => {
  const flights = new SingleFlight<string, string>()
  const { begun, begin } = work()
  await expect(flights.join('a', AbortSignal.abort(LEFT), begin)).rejects.toBe(LEFT)
  const late = flights.join('a', stay, begin)
  const impatient = flights.join('a', AbortSignal.abort(LEFT), begin)
  await expect(impatient).rejects.toBe(LEFT)
  expect(begun).toHaveLength(1)
  begun[0]?.answer.reject(LEFT)
  await expect.poll(() => begun.length).toBe(2)
  begun[1]?.answer.resolve('anew')
  expect(await late).toBe('anew')
})

test('what could not be given up any more is not done twice', async () => {
  const flights = new SingleFlight<string, string>()
  const { begun, begin } = work()
  await expect(flights.join('a', AbortSignal.abort(LEFT), begin)).rejects.toBe(LEFT)
  const late = flights.join('a', stay, begin)
  begun[0]?.answer.resolve('done all the same')
  expect(await late).toBe('done all the same')
  expect(begun).toHaveLength(1)
})
