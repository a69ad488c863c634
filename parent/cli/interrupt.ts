import type { World } from './context.ts'

/** Runs `work` so that Ctrl-C ends it with `failure()` instead of ending us without a word. */
export async function interruptible<T>(
  world: World,
  failure: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const interrupt = (): void => controller.abort(failure())
  world.signals.on('SIGINT', interrupt)
  try {
    return await work(controller.signal)
  } finally {
    world.signals.off('SIGINT', interrupt)
  }
}
