import { expect, test } from 'vitest'
import { probe, PROBE_BEGIN, type ProbeEvent } from './probe.ts'

/** What is done at each event. */
function acts(...events: ProbeEvent[]): (string | undefined)[] {
  let state = PROBE_BEGIN
  return events.map((event) => {
    const next = probe(state, event)
    state = next.state
    return next.act
  })
}

test('a terminal that does not answer the first question is never asked again', () => {
  expect(acts('tick', 'tick', 'answer', 'tick', 'tick', 'tick', 'tick', 'tick')).toEqual(Array(8).fill(undefined))
})

test('typing is no answer to the first question', () => {
  expect(acts('input', 'tick', 'tick')).toEqual([undefined, undefined, undefined])
})

test('a terminal that answers is asked at every tick', () => {
  expect(acts('answer', 'tick', 'answer', 'tick', 'answer', 'tick')).toEqual([
    undefined,
    'ask',
    undefined,
    'ask',
    undefined,
    'ask',
  ])
})

test('three misses in a row and we leave', () => {
  expect(acts('answer', 'tick', 'tick', 'tick', 'tick')).toEqual([undefined, 'ask', 'ask', 'ask', 'leave'])
})

test('one answer forgives the misses', () => {
  expect(acts('answer', 'tick', 'tick', 'tick', 'answer', 'tick', 'tick', 'tick', 'tick').at(-1)).toBe('leave')
  expect(acts('answer', 'tick', 'tick', 'tick', 'answer', 'tick', 'tick', 'tick')).not.toContain('leave')
})

test('who types is there: no question then, and the misses are forgiven', () => {
  expect(acts('answer', 'tick', 'tick', 'tick', 'input', 'tick', 'tick', 'tick', 'tick', 'tick').slice(4)).toEqual([
    undefined,
    undefined,
    'ask',
    'ask',
    'ask',
    'leave',
  ])
})
