import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { ROUTE } from '../contract/control.ts'
import { RequestId } from '../contract/names.ts'
import { ListQuery, RemoveRequest, SpawnRequest, StopRequest } from '../contract/request.ts'
import { SCHEMA_VERSION } from '../contract/worker.ts'
import { fromRecord } from '../domain/worker-view.ts'
import { removeWorker } from '../workers/remove.ts'
import { detailOf, stopAll, stopWorker } from '../workers/stop.ts'
import type { ControlContext } from './context.ts'
import { deliver } from './deliver.ts'
import { parseInput } from './invalid.ts'

/** spawn, list, inspect, stop, rm, wait. */
export function workerRoutes(server: FastifyInstance, context: ControlContext): void {
  const { roster, records, queue, arriving } = context

  server.post(ROUTE.workers, async (request) =>
    answer(await deliver(parseInput(SpawnRequest, request.body), context, closed(request))),
  )

  server.get(ROUTE.workers, async (request) => {
    const { all } = parseInput(ListQuery, request.query)
    const workers = await roster.workers()
    return answer({ workers: all ? workers : workers.filter((worker) => worker.state !== 'ended') })
  })

  server.get(ROUTE.worker, async (request) => answer(detailOf(await roster.find(refOf(request)), context)))

  server.post(ROUTE.stopAll, async (request) => {
    const { grace } = parseInput(StopRequest, request.body ?? {})
    return answer(await stopAll(grace, context))
  })

  server.post(ROUTE.stop, async (request) => {
    const { grace } = parseInput(StopRequest, request.body ?? {})
    return answer(await stopWorker(refOf(request), grace, context))
  })

  server.post(ROUTE.remove, async (request) => {
    const { record } = parseInput(RemoveRequest, request.body ?? {})
    return answer(await removeWorker(refOf(request), record, context))
  })

  server.get(ROUTE.wait, async (request) => {
    const worker = await roster.find(refOf(request))
    const gone = closed(request)
    // A request without a container may yet fail; then there is no end to wait for, but a failure to tell.
    if (worker.id === '' && worker.state !== 'ended') {
      const id = RequestId.parse(worker.request)
      const { settled } = await arriving.join(id, gone, async () => ({ settled: queue.settled(id) }))
      await settled
    }
    const record = await records.ended(worker.request, gone)
    return answer({ worker: fromRecord(record), exit: record.end })
  })
}

export function answer<T extends object>(body: T): T & { schemaVersion: number } {
  return { schemaVersion: SCHEMA_VERSION, ...body }
}

const WorkerParams = z.object({ ref: z.string() })

export function refOf(request: FastifyRequest): string {
  return parseInput(WorkerParams, request.params).ref
}

/** Aborts when the client has gone. */
export function closed(request: FastifyRequest): AbortSignal {
  const controller = new AbortController()
  if (request.raw.socket.destroyed) controller.abort(new Failure('interrupted', 'The client has gone.'))
  request.raw.socket.once('close', () => controller.abort(new Failure('interrupted', 'The client has gone.')))
  return controller.signal
}
