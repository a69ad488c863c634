import { expect, test } from 'vitest'
import { worker } from '../testing/test-coordinator.ts'
import { parseFilter } from './filter.ts'

const one = worker({ name: 'w1', project: '/home/u/app', image: 'img:1', conditions: ['needs-input'] })
const two = worker({ name: 'w2', project: '/home/u/other', state: 'ended', reason: 'oom', id: 'cd'.repeat(32) })

test.each([
  [[], ['w1', 'w2']],
  [['name=w1'], ['w1']],
  [
    ['name=w1', 'name=w2'],
    ['w1', 'w2'],
  ],
  [['name=w1', 'state=ended'], []],
  [['project=/home/u/app'], ['w1']],
  [['project=other'], ['w2']],
  [['project=the'], []],
  [['reason=oom'], ['w2']],
  [['condition=needs-input'], ['w1']],
  [['id=abab'], ['w1']],
  [['id='], []],
  [['image=img:1'], ['w1']],
])('%j lists %j', (words, names) => {
  const { matches } = parseFilter(words)
  expect([one, two].filter(matches).map(({ name }) => name)).toEqual(names)
})

test('asking for ended workers lists ended ones', () => {
  expect(parseFilter(['state=ended']).wantsEnded).toBe(true)
  expect(parseFilter(['reason=oom']).wantsEnded).toBe(true)
  expect(parseFilter(['state=running']).wantsEnded).toBe(false)
})

test.each(['name', 'colour=red', '=x', 'toString=x'])('%s is refused', (word) => {
  expect(() => parseFilter([word])).toThrow(expect.objectContaining({ code: 'invalid-value' }))
})
