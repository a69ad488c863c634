import { MAX_INPUT, ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import { formatSize } from '../../../coordinator/contract/units.ts'
import type { Context, World } from '../context.ts'
import { interruptible } from '../interrupt.ts'

/** How long the coordinator may take to store it, troubles included. Milliseconds. */
const STORE = 30_000

/**
 * Reads our stdin to its end and sends it ahead of the request it belongs to; answers its length in bytes.
 * Fails with `invalid-value`, without reading on, when it is more than a command may be given.
 */
export function sendInput(context: Context, request: string): Promise<number> {
  const interrupted = (): Failure => new Failure('interrupted', 'Interrupted, and nothing was started.')
  return interruptible(context, interrupted, async (signal) => {
    const body = await readInput(context, signal)
    const path = routeFor(ROUTE.input, request)
    const limits = { deadline: STORE, patience: STORE, answerWithin: STORE }
    await context.control.call({ method: 'PUT', path, body, ...limits, signal })
    return body.length
  })
}

/** What our stdin holds. The launcher's has a mark behind it, and is a lifeline (lifeline.ts) from there on. */
async function readInput(world: World, signal: AbortSignal): Promise<Buffer> {
  if (world.inputIsNull()) throw none()
  const { stdin } = world
  const input = new Input(world.env['HAL9000_INPUT_MARK'])
  const stop = (): void => void stdin.destroy(Failure.from(signal.reason))
  signal.addEventListener('abort', stop)
  try {
    const chunks: AsyncIterable<Buffer> = stdin.iterator({ destroyOnReturn: false })
    for await (const chunk of chunks) {
      input.add(chunk)
      if (input.mark === 'seen') break
    }
    if (input.mark === 'awaited') throw cut()
    if (input.mark === 'seen') {
      stdin.on('end', world.hangUp).on('error', world.hangUp).resume()
      stdin.unref?.() // or it would keep us from our end
    }
    return input.bytes
  } catch (error) {
    stdin.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const YES = 'y'.charCodeAt(0)

/**
 * The input as it arrives. A stdin also ends when its `docker exec` is killed in the middle of it. So the launcher makes
 * up a mark that nobody can guess, and puts it behind the input with one letter more: "y", that was all of it.
 */
class Input {
  mark: 'none' | 'awaited' | 'seen'
  readonly #mark: Buffer
  readonly #trailer: number
  readonly #chunks: Buffer[] = []
  #length = 0
  #last: Buffer = Buffer.alloc(0)

  constructor(mark = '') {
    this.mark = mark === '' ? 'none' : 'awaited'
    this.#mark = Buffer.from(mark)
    this.#trailer = mark === '' ? 0 : this.#mark.length + 1
  }

  /** Without the mark. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks, this.#length)
  }

  /** Takes what comes next. Fails when it is too much. */
  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.mark === 'awaited') this.#lookForMark(chunk)
    const most = this.mark === 'awaited' ? MAX_INPUT + this.#trailer : MAX_INPUT
    if (this.#length > most) throw tooMuch()
  }

  /** It may come in pieces. */
  #lookForMark(chunk: Buffer): void {
    this.#last = Buffer.concat([this.#last, chunk.subarray(-this.#trailer)]).subarray(-this.#trailer)
    if (this.#last.length < this.#trailer || !this.#last.subarray(0, -1).equals(this.#mark)) return
    if (this.#last.at(-1) !== YES) throw unread()
    this.mark = 'seen'
    this.#length -= this.#trailer
  }
}

function tooMuch(): Failure {
  return new Failure('invalid-value', `The input is more than the ${formatSize(MAX_INPUT)} that --stdin hands over.`, {
    hint: 'put it into a file in the project, which the command can read',
  })
}

function cut(): Failure {
  return new Failure('interrupted', 'The input broke off before its end, and nothing was started.')
}

function unread(): Failure {
  return new Failure('invalid-value', 'The input could not be read to its end, and nothing was started.')
}

function none(): Failure {
  return new Failure('usage', 'There is no input to hand over: our stdin is /dev/null.', {
    hint: 'add -i to docker exec, or use the launcher on the host',
  })
}
