import { Transform } from 'node:stream'
import { Failure } from '../contract/failure.ts'
import { FrameDecoder } from '../contract/frames.ts'
import type { AttachRequest } from '../contract/request.ts'
import type { Worker } from '../contract/worker.ts'

/** Scripts of the worker image. */
const SCRIPTS = '/usr/lib/hal9000'

/** What is run in the worker when a client comes in, and what when it has gone without a word. */
export type Entrance = { enter: string[]; leave: string[] }

/** The scripts that a way into a worker needs. */
export function entranceOf(request: AttachRequest): Entrance {
  const { id, terminal } = request
  const client = [id, terminal?.term ?? '', terminal?.colors ?? '']
  switch (request.enter) {
    case 'session':
      return { enter: [`${SCRIPTS}/attach`, ...client], leave: [`${SCRIPTS}/detach`, id] }
    case 'shell':
      return { enter: [`${SCRIPTS}/exec`, ...client], leave: [`${SCRIPTS}/hangup`, id] }
    case 'command':
      return { enter: [`${SCRIPTS}/exec`, ...client, ...request.command], leave: [`${SCRIPTS}/hangup`, id] }
  }
  request satisfies never
}

/** Fails with `wrong-state` where there is no such way into the worker as it is now. */
export function checkEntrance(worker: Worker, enter: AttachRequest['enter']): void {
  const { name, state, io, id } = worker
  const wrong = (fact: string, hint: string): Failure =>
    new Failure('wrong-state', `Worker "${name}" ${fact}.`, { hint })
  switch (state) {
    case 'running':
    case 'stopping':
      if (enter !== 'session' || io === 'session') return
      throw wrong('runs without a terminal (--no-tty)', `coordinator logs -f ${name}`)
    case 'ended':
      throw wrong('has ended', `coordinator logs ${name}`)
    case 'paused':
      throw wrong('is paused', `docker unpause ${id.slice(0, 12)}`)
    case 'queued':
    case 'creating':
    case 'starting':
    case 'lost':
      throw wrong(`is ${state} and cannot be entered`, 'coordinator list')
  }
  state satisfies never
}

/** A client's framed input as the bytes that a command reads, up to the empty frame that ends it. */
export function inputOf(): Transform {
  const frames = new FrameDecoder()
  let ended = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        for (const { data } of frames.push(chunk)) {
          if (ended) continue
          ended = data.length === 0
          this.push(ended ? null : data)
        }
        done()
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  })
}
