import { spawn } from 'node:child_process'
import type { Logger } from 'pino'
import { isReplaced } from './docker/socket.ts'
import type { Reconciler } from './reconciler/loop.ts'

/** How often a parent without an engine looks whether its socket is the engine's still. Milliseconds. */
const RENEW = 2_000

/** A parent whose socket was replaced would never see the engine again: it ends, and is started with the new one. */
export function renewWhenStale(socket: string, reconciler: Reconciler, log: Logger): void {
  const timer = setInterval(() => {
    if (reconciler.trouble === undefined || !isReplaced(socket)) return
    clearInterval(timer)
    log.warn('the Docker engine has a new socket; the parent ends and is started again to have it')
    spawn('/usr/lib/hal9000/renew', { detached: true, stdio: 'ignore' }).unref()
  }, RENEW)
  timer.unref()
}
