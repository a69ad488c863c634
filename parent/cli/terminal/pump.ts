import type { Duplex } from 'node:stream'
import { bytesOf } from '../bytes.ts'
import type { World } from '../context.ts'
import { write } from '../write.ts'
import type { DetachWatch } from './detach-keys.ts'
import { inRawMode } from './raw-mode.ts'
import { watchTerminal } from './watch.ts'

/** Signals that end us; the worker hears nothing of them. */
export const LEAVE_SIGNALS = ['SIGHUP', 'SIGTERM', 'SIGINT'] as const
/** How long the other side may take to say goodbye to the terminal after we have left. Milliseconds. */
const GOODBYE = 1_000
/** Alternate screen, mouse, bracketed paste, cursor and keypad as a shell expects them (xterm's "ctlseqs"). */
const RESET =
  '\u001b[?1049l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?1l\u001b>\u001b[?25h\u001b[0m\r\n'

/** Who ended it, and whether the terminal was given back in order as far as is known. */
export type PumpEnd = { by: 'us' | 'them'; clean: boolean }

/** `typed`: what was typed before there was a connection. */
export type PumpOptions = { relay: boolean; keys: DetachWatch | undefined; typed?: Buffer }

/**
 * Connects our terminal (or, in relay mode, our pipes) with an attachment until either side ends it. Our end of input,
 * `keys`, SIGHUP or SIGTERM close it; what runs in the worker stays.
 */
export function pump(world: World, socket: Duplex, options: PumpOptions): Promise<PumpEnd> {
  const { relay, keys } = options
  // What is typed to a terminal before it is raw would be shown, too: it waits for the first output.
  let { typed: early } = options
  return inRawMode(world, async () => {
    const { stdin, stdout } = world
    let goodbye: NodeJS.Timeout | undefined
    const leave = (): void => {
      if (goodbye) return
      // Half-closed: the other side detaches its client, which puts the terminal in order, and ends the stream.
      socket.end()
      goodbye = setTimeout(() => socket.destroy(), GOODBYE)
    }
    const watch = relay
      ? undefined
      : watchTerminal({
          ask: (question) => void write(stdout, question).catch(leave),
          late: (input) => void socket.write(input),
          leave,
        })
    const hear = (chunk: Buffer): void => {
      if (early === undefined) type(chunk)
      else early = Buffer.concat([early, chunk])
    }
    const type = (chunk: Buffer): void => {
      const typed = watch ? watch.input(chunk) : chunk
      const { input, leave: asked } = keys?.push(typed) ?? { input: typed, leave: false }
      if (goodbye) return
      if (input.length > 0 && !socket.write(input)) {
        stdin.pause()
        socket.once('drain', () => stdin.resume())
      }
      if (asked) leave()
    }
    // Errors of the connection surface in the loop below; without a listener they would end the process.
    socket.on('error', () => {})
    // An attachment before this one has paused it.
    stdin.on('data', hear).on('end', leave).on('error', leave).resume()
    for (const name of LEAVE_SIGNALS) world.signals.on(name, leave)
    let clean = false
    try {
      for await (const chunk of bytesOf(socket)) {
        watch?.output(chunk)
        if (!(await write(stdout, chunk))) leave()
        if (early !== undefined) type(early)
        early = undefined
      }
      clean = true
    } catch {
      // Cut off. The outcome is asked for separately, and it says more than this error.
    } finally {
      clearTimeout(goodbye)
      watch?.stop()
      for (const name of LEAVE_SIGNALS) world.signals.off(name, leave)
      stdin.off('data', hear).off('end', leave).off('error', leave)
      stdin.pause()
      socket.destroy()
      if (!clean) await resetTerminal(world)
    }
    return { by: goodbye ? 'us' : 'them', clean }
  })
}

/** For a terminal that a full-screen program has left as it was in the middle of it. */
export async function resetTerminal({ stdout }: World): Promise<void> {
  await write(stdout, RESET)
}
