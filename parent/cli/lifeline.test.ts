import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { watchLifeline } from './lifeline.ts'
import { testWorld } from './testing/test-world.ts'

test.each([
  ['1', 1],
  ['', 0],
])('with HAL9000_LIFELINE=%s the end of stdin hangs up %i times', async (set, hangUps) => {
  const world = testWorld({ HAL9000_LIFELINE: set })
  let hungUp = 0
  world.signals.on('SIGHUP', () => (hungUp += 1))
  const lifeline = watchLifeline(world)
  world.stdin.end()
  await sleep(200)
  expect(hungUp).toBe(hangUps)
  lifeline?.stop()
})

test('a command that is done before lets go of stdin', async () => {
  const world = testWorld({ HAL9000_LIFELINE: '1' })
  world.signals.on('SIGHUP', () => expect.unreachable())
  watchLifeline(world)?.stop()
  world.stdin.end()
  await sleep(200)
  expect(world.stdin.listenerCount('end')).toBe(0)
})
