import type { World } from '../context.ts'

/**
 * Node's raw mode leaves "line feed becomes CR LF" on (libuv, UV_TTY_MODE_RAW), but to a full-screen program a line feed
 * means one row down in the same column. Leaving raw mode puts back what was there.
 */
const NO_OUTPUT_PROCESSING = '-opost'

/** Runs `work` with the terminal in raw mode and always gives it back as it was, also when the process is ended. */
export async function inRawMode<T>(world: World, work: () => Promise<T>): Promise<T> {
  if (world.stdin.isTTY !== true) return work()
  const restore = (): void => void world.stdin.setRawMode?.(false)
  world.signals.on('exit', restore)
  world.stdin.setRawMode?.(true)
  world.stty(NO_OUTPUT_PROCESSING)
  try {
    return await work()
  } finally {
    restore()
    world.signals.off('exit', restore)
  }
}
