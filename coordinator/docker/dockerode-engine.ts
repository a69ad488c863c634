import { Duplex, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { LABEL } from '../contract/labels.ts'
import { ContainerId, type InstanceName } from '../contract/names.ts'
import type { TerminalSize } from '../contract/request.ts'
import { type Container, EngineState } from '../domain/container.ts'
import { containerOptions } from './container-options.ts'
import type { Connection } from './connection.ts'
import { engineFailure, engineMessage, httpStatus, settled, unless404 } from './engine-failure.ts'
import type { Engine, EngineEvent, Terminal } from './engine.ts'
import { logEntries, openLog } from './log-stream.ts'
import { workerLine } from './worker-line.ts'

/** Deadlines of single calls. Milliseconds. */
const QUICK = 10_000
const CHANGE = 30_000
/** Between looks at a process that is being started. Milliseconds. */
const BEGIN_STEP = 5

/** The engine behind a Docker socket, seen by one instance; `connected` is asked before every call. */
export function dockerodeEngine(connected: () => Promise<Connection>, instance: InstanceName): Engine {
  const ask = async <T>(what: string, deadline: number, work: (docker: Docker) => Promise<T>): Promise<T> => {
    const { docker, call } = await connected()
    return await call(what, deadline, () => work(docker))
  }

  return {
    async host() {
      const connection = await connected()
      const info = EngineInfo.parse(await ask('info', QUICK, (docker) => docker.info()))
      return {
        version: connection.engineVersion,
        apiVersion: connection.apiVersion,
        cpus: info.NCPU,
        memory: info.MemTotal,
        dataDirectory: info.DockerRootDir,
        cgroup: `v${info.CgroupVersion}`,
      }
    },

    async image(reference) {
      const image = await unless404(ask('inspect image', QUICK, (docker) => docker.getImage(reference).inspect()))
      return image && { id: image.Id, labels: image.Config.Labels ?? {} }
    },

    async containers() {
      const filters = { label: [`${LABEL.managed}=true`, `${LABEL.instance}=${instance}`] }
      const list = await ask('list', QUICK, (docker) => docker.listContainers({ all: true, filters }))
      return list.map(fromListed)
    },

    async find(nameOrId) {
      const found = await unless404(ask('inspect', QUICK, (docker) => docker.getContainer(nameOrId).inspect()))
      // Docker also takes id prefixes and names of links for a name: only the exact one counts.
      if (found === undefined || (found.Id !== nameOrId && found.Name !== `/${nameOrId}`)) return undefined
      return fromInspected(found)
    },

    async create(spec) {
      try {
        const created = await ask('create', CHANGE, (docker) => docker.createContainer(containerOptions(spec)))
        return ContainerId.parse(created.id)
      } catch (error) {
        if (httpStatus(error) === 409) return 'taken'
        throw createFailure(error, spec.image)
      }
    },

    async connect(id) {
      const options = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true }
      return workerLine(asDuplex(await ask('attach', QUICK, (docker) => docker.getContainer(id).attach(options))))
    },

    async start(id) {
      try {
        await ask('start', CHANGE, (docker) => docker.getContainer(id).start())
      } catch (error) {
        if (httpStatus(error) !== 304) throw answered(error, 'start the worker')
      }
    },

    async stop(id, grace) {
      await settled(
        ask('stop', grace * 1000 + CHANGE, (docker) => docker.getContainer(id).stop({ t: grace })),
        [304, 404],
      )
    },

    async remove(id) {
      try {
        await ask('remove', CHANGE, (docker) => docker.getContainer(id).remove({ v: true }))
      } catch (error) {
        // 409 is said of a container that runs as well.
        const underWay = httpStatus(error) === 409 && engineMessage(error).includes('already in progress')
        if (httpStatus(error) !== 404 && !underWay) throw answered(error, 'remove the worker')
      }
    },

    async ended(id) {
      const found = await unless404(ask('inspect', QUICK, (docker) => docker.getContainer(id).inspect()))
      if (found === undefined || !['exited', 'dead'].includes(found.State.Status)) return undefined
      return {
        exitCode: found.State.ExitCode,
        oomKilled: found.State.OOMKilled,
        startedAt: realTime(found.State.StartedAt),
        endedAt: realTime(found.State.FinishedAt) ?? new Date(0).toISOString(),
        error: found.State.Error,
      }
    },

    async *logs(id, options) {
      yield* logEntries(await ask('logs', QUICK, (docker) => openLog(docker, id, options)), options.signal)
    },

    async terminal(id, command, size): Promise<Terminal> {
      const exec = await whileRunning(
        ask('exec', QUICK, (docker) =>
          docker.getContainer(id).exec({
            Cmd: [...command],
            AttachStdin: true,
            AttachStdout: true,
            AttachStderr: true,
            Tty: true,
            User: '0:0',
          }),
        ),
      )
      const stream = await whileRunning(
        ask('exec start', QUICK, () => exec.start({ hijack: true, stdin: true, Tty: true })),
      )
      const resize = async (to: TerminalSize): Promise<void> => {
        // 404 and 409: the process has ended; 500: it has not quite started. A later resize follows.
        await settled(
          ask('resize', QUICK, () => exec.resize({ w: to.columns, h: to.rows }) as Promise<unknown>),
          [404, 409, 500],
        )
      }
      const inspect = () => ask('exec inspect', QUICK, () => exec.inspect())
      await begun(inspect, stream)
      await resize(size)
      return { stream, resize, exitCode: async () => (await inspect()).ExitCode }
    },

    async run(id, command) {
      const exec = await ask('exec', QUICK, (docker) =>
        docker.getContainer(id).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, User: '0:0' }),
      )
      const stream = await ask('exec start', QUICK, () => exec.start({ hijack: true, stdin: false }))
      await ask('exec output', CHANGE, async () => {
        for await (const _ of stream);
      })
      return (await ask('exec inspect', QUICK, () => exec.inspect())).ExitCode ?? 1
    },

    async *events(signal) {
      const filters = JSON.stringify({
        type: ['container'],
        label: [`${LABEL.managed}=true`, `${LABEL.instance}=${instance}`],
      })
      const stream = asDuplexOrReadable(await ask('events', QUICK, (docker) => docker.getEvents({ filters })))
      const abort = (): void => void stream.destroy()
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
      try {
        yield* parseEvents(stream)
      } catch (error) {
        if (!signal.aborted) throw engineFailure('The event stream of the Docker engine broke off.', error)
      } finally {
        signal.removeEventListener('abort', abort)
        stream.destroy()
      }
    },
  }
}

const EngineInfo = z.object({
  NCPU: z.number(),
  MemTotal: z.number(),
  DockerRootDir: z.string(),
  // Absent before Docker 20.10.
  CgroupVersion: z.string().default('1'),
})

const EventLine = z.object({ Action: z.string(), Actor: z.object({ ID: z.string() }) })

function fromListed(listed: Docker.ContainerInfo): Container {
  return {
    id: ContainerId.parse(listed.Id),
    name: (listed.Names?.[0] ?? '').slice(1),
    image: listed.Image,
    state: EngineState.parse(listed.State),
    labels: listed.Labels,
    createdAt: listed.Created * 1000,
  }
}

function fromInspected(found: Docker.ContainerInspectInfo): Container {
  return {
    id: ContainerId.parse(found.Id),
    name: found.Name.slice(1),
    image: found.Config.Image,
    state: EngineState.parse(found.State.Status),
    labels: found.Config.Labels,
    createdAt: Date.parse(found.Created),
  }
}

function createFailure(error: unknown, image: string): unknown {
  if (httpStatus(error) === 404 && engineMessage(error).toLowerCase().includes('no such image')) {
    return new Failure('image-missing', `Image "${image}" is not on this host.`, {
      hint: './hal9000 build',
      cause: error,
    })
  }
  return answered(error, 'create the worker')
}

/** An answer of the engine that says no, as a failure that quotes it. */
function answered(error: unknown, doing: string): unknown {
  if (httpStatus(error) === undefined) return error
  return new Failure('worker-failed', `The Docker engine could not ${doing}: ${engineMessage(error)}`, { cause: error })
}

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
async function begun(inspect: () => Promise<{ Pid: number; ExitCode: number | null }>, stream: Duplex): Promise<void> {
  for (const deadline = Date.now() + QUICK; Date.now() < deadline;) {
    const { Pid, ExitCode } = await whileRunning(inspect())
    if (Pid > 0 || (ExitCode !== null && (ExitCode < 126 || ExitCode > 128))) return
    if (ExitCode !== null) {
      stream.destroy()
      throw notRunning()
    }
    await sleep(BEGIN_STEP)
  }
}

/** Docker writes the year 1 for "never". */
function realTime(text: string): string | null {
  return text.startsWith('0001-') ? null : new Date(text).toISOString()
}

async function* parseEvents(stream: Readable): AsyncGenerator<EngineEvent> {
  let pending = ''
  for await (const chunk of stream) {
    const lines = (pending + String(chunk)).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      const event = EventLine.parse(JSON.parse(line))
      const id = ContainerId.safeParse(event.Actor.ID)
      if (id.success) yield { id: id.data, action: event.Action }
    }
  }
}

function asDuplex(stream: NodeJS.ReadWriteStream): Duplex {
  if (stream instanceof Duplex) return stream
  throw new Error('the engine answered an attach without a connection')
}

function asDuplexOrReadable(stream: NodeJS.ReadableStream): Readable {
  if (stream instanceof Readable) return stream
  throw new Error('the engine answered without a stream')
}
