import type Docker from 'dockerode'
import { engineFailure } from './engine-failure.ts'

type Dial = Docker['modem']['dial']
type Asked = Parameters<Dial>[0]

/**
 * The engine as one call sees it: `signal` breaks off whatever of the call is on its way, connection and all, and an answer
 * that is no JSON is refused, where docker-modem hands out its bytes: an empty one would pass for an empty list.
 */
export function forOneCall(docker: Docker, signal: AbortSignal): Docker {
  const dial: Dial = (asked, answered) =>
    docker.modem.dial({ ...asked, abortSignal: either(signal, asked.abortSignal) }, (error, answer) => {
      if (error === null && !isWhole(asked, answer)) answered?.(notUnderstood(), null)
      else answered?.(error, answer)
    })
  const modem: object = Object.assign(Object.create(docker.modem), { dial })
  return Object.assign(Object.create(docker), { modem })
}

/** A call may bring a signal of its own: whoever wanted it may have gone. */
function either(signal: AbortSignal, own: AbortSignal | undefined): AbortSignal {
  return own === undefined ? signal : AbortSignal.any([signal, own])
}

export function notUnderstood(cause?: unknown): Error {
  return engineFailure('The Docker engine gave an answer that cannot be understood.', cause)
}

/** Bytes are what could not be read as JSON. What changes something, or tells of a container that has gone, may have none. */
function isWhole({ method, path }: Asked, answer: unknown): boolean {
  if (!Buffer.isBuffer(answer)) return true
  return answer.length === 0 && (method !== 'GET' || /\/stats\b/.test(path))
}
