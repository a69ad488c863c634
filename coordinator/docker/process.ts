import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../contract/failure.ts'
import type { ContainerId } from '../contract/names.ts'
import type { TerminalSize } from '../contract/request.ts'
import { engineFailure, engineMessage, httpStatus, settled } from './engine-failure.ts'
import type { Call } from './connection.ts'
import type { Process, Terminal } from './engine.ts'

/** Deadlines of single calls. Milliseconds. */
const QUICK = 10_000
const CHANGE = 30_000
/** Between looks at a process that is being started or has just ended. Milliseconds. */
const STEP = 5

/** See Engine.terminal. */
export async function openTerminal(
  ask: Call,
  id: ContainerId,
  command: readonly string[],
  size: TerminalSize,
): Promise<Terminal> {
  const { exec, stream, exitCode } = await open(ask, id, command, true)
  const resize = async (to: TerminalSize): Promise<void> => {
    // 404 and 409: the process has ended; 500: it has not quite started. A later resize follows.
    await settled(
      ask('resize', QUICK, (docker) => docker.getExec(exec).resize({ w: to.columns, h: to.rows }) as Promise<unknown>),
      [404, 409, 500],
    )
  }
  await resize(size)
  return { stream, resize, exitCode }
}

/** See Engine.pipes. */
export async function openPipes(ask: Call, id: ContainerId, command: readonly string[]): Promise<Process> {
  const { stream, exitCode } = await open(ask, id, command, false)
  return { stream, exitCode }
}

/** See Engine.run. */
export async function runToEnd(ask: Call, id: ContainerId, command: readonly string[]): Promise<number> {
  const { id: exec } = await ask('exec', QUICK, (docker) =>
    docker.getContainer(id).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, User: '0:0' }),
  )
  const stream = await ask('exec start', QUICK, (docker) => docker.getExec(exec).start({ hijack: true, stdin: false }))
  try {
    await ask('exec output', CHANGE, async () => {
      for await (const _ of stream);
    })
  } finally {
    stream.destroy()
  }
  return (await codeOf(() => ask('exec inspect', QUICK, (docker) => docker.getExec(exec).inspect()))) ?? 1
}

/** `exec`: the id of the process. */
type Opened = { exec: string; stream: Duplex; exitCode: () => Promise<number | null> }

async function open(ask: Call, id: ContainerId, command: readonly string[], tty: boolean): Promise<Opened> {
  const { id: exec } = await whileRunning(
    ask('exec', QUICK, (docker) =>
      docker.getContainer(id).exec({
        Cmd: [...command],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: tty,
        User: '0:0',
      }),
    ),
  )
  const stream = await whileRunning(
    ask('exec start', QUICK, (docker) => docker.getExec(exec).start({ hijack: true, stdin: true, Tty: tty })),
  )
  const inspect = () => ask('exec inspect', QUICK, (docker) => docker.getExec(exec).inspect())
  try {
    await begun(inspect)
  } catch (error) {
    stream.destroy()
    throw error
  }
  return { exec, stream, exitCode: () => codeOf(inspect) }
}

type State = { Pid: number; Running: boolean; ExitCode: number | null }

/** Work in a container that must be running: `wrong-state` where it has ended, is gone or is paused. */
async function whileRunning<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const status = httpStatus(error) ?? 0
    // 500 is what `exec inspect` says of a container that has ended.
    const gone = [404, 409].includes(status) || (status === 500 && engineMessage(error).includes('not running'))
    throw gone ? notRunning(error) : error
  }
}

function notRunning(cause?: unknown): Failure {
  return new Failure('wrong-state', 'The worker is not running.', { hint: 'coordinator list -a', cause })
}

/**
 * Waits until the process of an exec runs or has run. A container that ends meanwhile is no error of `exec start`: the
 * engine writes its complaint into the stream, where only the terminal would see it, and gives 126 to 128 as exit code.
 */
async function begun(inspect: () => Promise<State>): Promise<void> {
  for (const deadline = Date.now() + QUICK; Date.now() < deadline;) {
    const { Pid, ExitCode } = await whileRunning(inspect())
    if (Pid > 0 || (ExitCode !== null && (ExitCode < 126 || ExitCode > 128))) return
    if (ExitCode !== null) throw notRunning()
    await sleep(STEP)
  }
  throw engineFailure(`The Docker engine did not start a process within ${QUICK / 1000} s.`)
}

/** The exit code of a process whose output has ended: the engine may take a moment longer to know it. */
async function codeOf(inspect: () => Promise<State>): Promise<number | null> {
  for (const deadline = Date.now() + QUICK; Date.now() < deadline;) {
    const { Running, ExitCode } = await inspect()
    if (!Running) return ExitCode
    await sleep(STEP)
  }
  return null
}
