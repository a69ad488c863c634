import type { World } from '../context.ts'

/** Runs `work` with the terminal in raw mode and always gives it back as it was, also when the process is ended. */
export async function inRawMode<T>(world: World, work: () => Promise<T>): Promise<T> {
  if (world.stdin.isTTY !== true) return work()
  const restore = (): void => void world.stdin.setRawMode?.(false)
  world.signals.on('exit', restore)
  world.stdin.setRawMode?.(true)
  try {
    return await work()
  } finally {
    restore()
    world.signals.off('exit', restore)
  }
}
