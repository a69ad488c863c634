import type { Logger } from 'pino'

/** How long what is under way may take to its end: spawns, steps, attachments. What is not done is left to the successor. Milliseconds. */
const GRACE = 900
/** How long each of the last words may take; the supervisor kills 2 s after it has asked. Milliseconds. */
const LAST_WORDS = 150

/** What has to be ended, each of which may hang. */
export type Parts = {
  /** Refuses what is asked from now on, and ends what is followed; later tells whoever still waits for an answer. */
  leaving: { begin(): void; tellWaiting(): void }
  /** Ends the ways into workers. */
  attachments: { leave(): Promise<void> }
  queue: { close(grace: number): Promise<void> }
  reconciler: { stop(): Promise<void> }
  events: { flush(): Promise<void> }
  server: { close(): Promise<unknown> }
  redis: { disconnect(): void }
  /** Removes the owner record. */
  forget: () => Promise<void>
  log: Pick<Logger, 'warn'>
}

/**
 * Leaves in order: no new work; what is under way is finished or left to the successor, who finds it in the records and in
 * the queue; whoever waits, follows or is attached is told; then the connections. Bounded, whatever hangs: 1.2 s at most.
 */
export async function shutDown(parts: Parts): Promise<void> {
  const { leaving, attachments, queue, reconciler, events, server, redis, forget, log } = parts
  const within = async (limit: number, what: string, work: Promise<unknown>): Promise<void> => {
    if (!(await isDone(work, limit, log)))
      log.warn(`${what} took more than ${limit} ms and is left to the next coordinator`)
  }
  leaving.begin()
  await Promise.all([
    within(GRACE, 'closing the queue', queue.close(GRACE)),
    within(GRACE, 'a step of the reconcile loop', reconciler.stop()),
    within(GRACE, 'ending the attachments', attachments.leave()),
  ])
  leaving.tellWaiting()
  await Promise.all([
    within(LAST_WORDS, 'telling the clients', server.close()),
    within(LAST_WORDS, 'storing the events', events.flush()),
  ])
  redis.disconnect()
  await within(LAST_WORDS, 'removing the owner record', forget())
}

async function isDone(work: Promise<unknown>, limit: number, log: Parts['log']): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limit)
  })
  const done = work.then(
    () => true,
    (error: unknown) => {
      log.warn({ err: error }, 'something could not be ended in order')
      return true
    },
  )
  try {
    return await Promise.race([done, late])
  } finally {
    clearTimeout(timer)
  }
}
