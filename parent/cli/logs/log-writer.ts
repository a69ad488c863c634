import type { Frame } from '../../../coordinator/contract/frames.ts'
import type { IoMode } from '../../../coordinator/contract/worker.ts'
import { isTerminal, type Output, type World } from '../context.ts'
import { CarriageReturnDropper } from '../text/carriage-return.ts'
import { ControlStripper } from '../text/strip-controls.ts'
import { write } from '../write.ts'

export type LogWriter = {
  /** False when nobody reads standard output any more. */
  write: (frame: Frame) => Promise<boolean>
  end: () => Promise<void>
}

type Filter = { push: (chunk: Buffer) => Buffer; end: () => Buffer }

const EXACT: Filter = { push: (chunk) => chunk, end: () => Buffer.alloc(0) }

/**
 * Writes a worker's output to ours, kept apart. On a terminal its control sequences are taken out; off one the bytes
 * are exact, but that a session's CR LF becomes the LF that the command wrote. `raw` leaves everything as it is.
 */
export function logWriter(world: World, how: { io: IoMode; raw: boolean }): LogWriter {
  const outputs = {
    stdout: { to: world.stdout, filter: filterFor(isTerminal(world, world.stdout), how) },
    stderr: { to: world.stderr, filter: filterFor(isTerminal(world, world.stderr), how) },
  }
  return {
    write: async ({ output, data }) => {
      const { to, filter } = outputs[output]
      const there = await writeSome(to, filter.push(data))
      return there || output === 'stderr'
    },
    end: async () => {
      await writeSome(outputs.stdout.to, outputs.stdout.filter.end())
      if (outputs.stderr.filter !== EXACT) await writeSome(outputs.stderr.to, outputs.stderr.filter.end())
    },
  }
}

function filterFor(terminal: boolean, how: { io: IoMode; raw: boolean }): Filter {
  if (how.raw) return EXACT
  if (terminal) return new ControlStripper()
  return how.io === 'session' ? new CarriageReturnDropper() : EXACT
}

async function writeSome(output: Output, data: Buffer): Promise<boolean> {
  return data.length === 0 || write(output, data)
}
