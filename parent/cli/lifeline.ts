import type { World } from './context.ts'

/** Most commands are done before: they need not pay for opening stdin. Milliseconds. */
const LATER = 100

/**
 * `docker exec` forwards no signals, so the launcher says with HAL9000_LIFELINE=1 that our stdin carries nothing and
 * ends when the caller is gone. That is our hang-up: what would go on for ever inside the parent ends.
 */
export function watchLifeline(world: World): { stop: () => void } | undefined {
  if (world.env['HAL9000_LIFELINE'] !== '1') return undefined
  let stdin: World['stdin'] | undefined
  const begin = (): void => {
    stdin = world.stdin
    stdin.on('end', world.hangUp).on('error', world.hangUp).resume()
  }
  const timer = setTimeout(begin, LATER)
  return {
    stop: () => {
      clearTimeout(timer)
      stdin?.off('end', world.hangUp).off('error', world.hangUp).pause()
    },
  }
}
