import type { FastifyInstance, FastifyReply } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import { Failure } from '../contract/failure.ts'

/** What is answered to the end: who this is, and to a client that has just been hung up on, why. */
const TO_THE_END: ReadonlySet<string | undefined> = new Set([ROUTE.owner, ROUTE.outcome])

/** A coordinator that leaves, as its clients hear it: ask again, and the next one answers. */
export class Leaving {
  readonly #controller = new AbortController()
  readonly #waiting = new Set<FastifyReply>()

  /** Aborts when the coordinator begins to leave: whatever is followed ends then. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get hasBegun(): boolean {
    return this.signal.aborted
  }

  /** What is asked from now on is refused. */
  begin(): void {
    this.#controller.abort(leavingFailure())
  }

  /** Whoever still waits for an answer will not have it from us. */
  tellWaiting(): void {
    for (const reply of this.#waiting) if (!reply.sent) void reply.send(leavingFailure())
  }

  /** Has the server refuse, and knows from then on who waits for an answer. */
  guard(server: FastifyInstance): void {
    server.addHook('onRequest', (request, reply, done) => {
      if (this.hasBegun && !TO_THE_END.has(request.routeOptions.url)) {
        done(leavingFailure())
        return
      }
      this.#waiting.add(reply)
      reply.raw.once('close', () => this.#waiting.delete(reply))
      done()
    })
  }
}

/** Fails where the coordinator has begun to leave. */
export function leavingFailure(): Failure {
  return new Failure('not-ready', 'The coordinator is being stopped or restarted.', { hint: './hal9000 status' })
}
