import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { Pull, PullResult } from '../../../coordinator/contract/pull.ts'
import type { SpawnRequestInput } from '../../../coordinator/contract/request.ts'
import { parseDuration } from '../../../coordinator/contract/units.ts'
import type { SpawnResult } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { LONGEST_TIMER, tooSlow } from '../control-client.ts'
import { interruptible } from '../interrupt.ts'
import { pause } from '../persist.ts'
import { PullLine } from '../text/pull-line.ts'

/** How long starting may take beyond the wait for room, and that wait unless it is given. Milliseconds. */
const START_MARGIN = 60_000
const DEFAULT_WAIT = 60_000
/** How often is asked whether the image is still being pulled. Milliseconds. */
const EVERY = 1_000

/**
 * Sends the request, the same one again where it is cut off, until it is answered or its time is over: which begins when its
 * image is there. A pull is told of meanwhile.
 */
export function send(context: Context, body: SpawnRequestInput): Promise<SpawnResult> {
  const limit = ((body.wait && parseDuration(body.wait)) || DEFAULT_WAIT) + START_MARGIN
  let pulling: Pull | null = null
  return interruptible(
    context,
    () => (pulling === null ? goesOn(body.id) : givenUp(pulling)),
    async (signal) => {
      const over = new AbortController()
      // A little later than the patience is over: whoever knows what is wrong says it.
      const timer = setTimeout(() => over.abort(tooSlow(limit)), Math.min(limit + EVERY, LONGEST_TIMER))
      const line = new PullLine(context)
      const watched = watchPull(context, body.id, AbortSignal.any([signal, over.signal]), (pull) => {
        pulling = pull
        if (pull === null) return
        timer.refresh()
        line.show(pull)
      })
      try {
        return await context.control.call<SpawnResult>({
          method: 'POST',
          path: ROUTE.workers,
          body,
          patience: limit,
          answerWithin: Infinity,
          signal: AbortSignal.any([signal, over.signal]),
        })
      } finally {
        clearTimeout(timer)
        over.abort()
        await watched
        line.end()
      }
    },
  )
}

/** Asks for the pull that a request waits for, until the signal; whether there is an answer is for the request to tell. */
async function watchPull(
  context: Context,
  request: string,
  signal: AbortSignal,
  heard: (pull: Pull | null) => void,
): Promise<void> {
  const path = routeFor(ROUTE.pull, request)
  while (!signal.aborted) {
    try {
      await pause(EVERY, signal)
      heard((await context.control.call<PullResult>({ path, patience: 0, signal })).pull)
    } catch {
      // Cut off, or over.
    }
  }
}

function goesOn(request: string): Failure {
  return new Failure('interrupted', `Interrupted. The request ${request} goes on without us.`, {
    hint: 'coordinator list',
  })
}

function givenUp({ image }: Pull): Failure {
  return new Failure('interrupted', `Interrupted. Image "${image}" was still being pulled: the request is given up.`)
}
