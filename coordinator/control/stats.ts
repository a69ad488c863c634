import type { FastifyInstance } from 'fastify'
import { ROUTE } from '../contract/control.ts'
import { statsOf, statsOfAll } from '../workers/stats.ts'
import type { ControlContext } from './context.ts'
import { answer, refOf } from './workers.ts'

/** What workers use: all that run, or one. */
export function statsRoutes(server: FastifyInstance, context: ControlContext): void {
  server.get(ROUTE.statsAll, async () => answer(await statsOfAll(context)))
  server.get(ROUTE.stats, async (request) => answer(await statsOf(refOf(request), context)))
}
