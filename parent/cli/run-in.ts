import type { Duplex } from 'node:stream'
import { FrameDecoder, encodeInput } from '../../coordinator/contract/frames.ts'
import { Failure } from '../../coordinator/contract/failure.ts'
import { bytesOf } from './bytes.ts'
import type { Context } from './context.ts'
import { finish } from './foreground.ts'
import { type Ending, endingOf, opened, type Entry } from './terminal/enter.ts'
import { write } from './write.ts'

/** Signals that end us; the command in the worker is hung up on then. */
const LEAVE_SIGNALS = ['SIGHUP', 'SIGTERM', 'SIGINT'] as const

/**
 * Runs a command in a worker on plain pipes: our input becomes its input, its outputs become ours, byte for byte. Whatever
 * ends us before it, or our reader, hangs up on it.
 */
export async function runOnPipes(context: Context, entry: Entry, options: { input: boolean }): Promise<Ending> {
  const { worker, socket } = await opened(context, entry)
  // Errors of the connection surface in the loop of `copyOutput`; without a listener they would end the process.
  socket.on('error', () => {})
  let left: Failure | undefined
  const leave = (): void => {
    left = new Failure('interrupted', 'Interrupted. The command was hung up on.')
    socket.destroy()
  }
  for (const name of LEAVE_SIGNALS) context.signals.on(name, leave)
  const feeding = options.input ? feed(context, socket) : undefined
  if (!feeding) socket.write(encodeInput(Buffer.alloc(0)))
  try {
    await copyOutput(context, socket)
  } finally {
    feeding?.stop()
    for (const name of LEAVE_SIGNALS) context.signals.off(name, leave)
    socket.destroy()
  }
  if (left) throw left
  return endingOf(context, entry, worker)
}

/** The exit code of a shell or command that was run in a worker. */
export async function exitedCode(context: Context, outcome: Ending): Promise<number> {
  const { name } = outcome.worker
  switch (outcome.outcome) {
    case 'exited':
      if (outcome.exitCode !== null) return outcome.exitCode
      throw new Failure('worker-failed', `How it ended in worker "${name}" cannot be known.`, {
        hint: `coordinator inspect ${name}`,
      })
    case 'ended':
      return await finish(context, outcome)
    case 'detached':
      context.say(`Left. Worker "${name}" keeps running.`)
      return 0
    case 'coordinator-left':
      throw cutOff('is being stopped or restarted, and has hung up on what was run', name)
    case 'coordinator-gone':
      throw cutOff('went away, and it is not known what became of what was run', name)
  }
  outcome satisfies never
}

function cutOff(how: string, name: string): Failure {
  return new Failure('worker-failed', `The coordinator ${how}. Worker "${name}" is not affected.`, {
    hint: `coordinator inspect ${name}`,
  })
}

/** Both outputs, each to its own; stops when nobody reads them any more. */
async function copyOutput(context: Context, socket: Duplex): Promise<void> {
  const frames = new FrameDecoder()
  try {
    for await (const chunk of bytesOf(socket)) {
      for (const { output, data } of frames.push(chunk)) {
        if (!(await write(output === 'stderr' ? context.stderr : context.stdout, data))) return
      }
    }
  } catch (error) {
    // Cut off: the outcome is asked for separately. What we could not write is our own trouble.
    if (error instanceof Failure) throw error
  }
}

function feed(context: Context, socket: Duplex): { stop: () => void } {
  const { stdin } = context
  const send = (chunk: Buffer): void => {
    if (socket.write(encodeInput(chunk))) return
    stdin.pause()
    socket.once('drain', () => stdin.resume())
  }
  const end = (): void => void socket.write(encodeInput(Buffer.alloc(0)))
  stdin.on('data', send).on('end', end).on('error', end)
  return { stop: () => void stdin.off('data', send).off('end', end).off('error', end).pause() }
}
