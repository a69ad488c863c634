import { expect, test } from 'vitest'
import { agentOf } from './agent.ts'

const labels = (agent: string): Record<string, string> => ({ 'hal9000.agent': agent })

test('an image brings its agent along, or none', () => {
  expect(agentOf(labels('["claude","--verbose"]'), 'mine:1')).toEqual(['claude', '--verbose'])
  expect(agentOf({}, 'mine:1')).toBeUndefined()
})

test.each(['claude', '', '"claude"', '[]', '["claude",1]', 'null', '{"0":"claude"}'])('%j is no agent', (label) => {
  expect(() => agentOf(labels(label), 'mine:1')).toThrow(
    expect.objectContaining({
      code: 'invalid-value',
      message: 'The label hal9000.agent of image "mine:1" is not a JSON array of words.',
    }),
  )
})
