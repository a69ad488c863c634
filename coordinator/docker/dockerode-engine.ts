import { Duplex, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { LABEL } from '../contract/labels.ts'
import { ContainerId, type InstanceName } from '../contract/names.ts'
import { type Container, EngineState } from '../domain/container.ts'
import { imageMissing } from '../domain/image-reference.ts'
import { containerOptions } from './container-options.ts'
import type { Call, Connection } from './connection.ts'
import { engineFailure, engineMessage, httpStatus, settled, unless404 } from './engine-failure.ts'
import type { Engine, EngineEvent } from './engine.ts'
import { pullImage } from './image-pull.ts'
import { jsonLines } from './json-lines.ts'
import { logEntries, openLog } from './log-stream.ts'
import { openPipes, openTerminal, runToEnd } from './process.ts'
import { usageOf } from './usage.ts'
import { workerLine } from './worker-line.ts'

/** Deadlines of single calls. Milliseconds. */
const QUICK = 10_000
const CHANGE = 30_000
/** For what ends by a signal: setTimeout's own bound. Milliseconds. */
const LONGEST = 2 ** 31 - 1
/** Between looks at a removal that somebody else began. Milliseconds. */
const REMOVE_STEP = 20

/** The engine behind a Docker socket, seen by one instance; `connected` is asked before every call. */
export function dockerodeEngine(connected: () => Promise<Connection>, instance: InstanceName): Engine {
  const ask: Call = async (what, deadline, work) => await (await connected()).call(what, deadline, work)

  return {
    async host() {
      const connection = await connected()
      const info = await ask('info', QUICK, async (docker) => EngineInfo.parse(await docker.info()))
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

    async pull(reference, onProgress, signal) {
      await ask('pull', LONGEST, (docker) => pullImage(docker, reference, onProgress, signal))
    },

    async containers() {
      const filters = { label: [`${LABEL.managed}=true`, `${LABEL.instance}=${instance}`] }
      return await ask('list', QUICK, async (docker) =>
        (await docker.listContainers({ all: true, filters })).map(fromListed),
      )
    },

    async runningSince(id) {
      const found = await unless404(ask('inspect', QUICK, (docker) => docker.getContainer(id).inspect()))
      if (found === undefined) return 'gone'
      return found.State.Running ? Date.parse(found.State.StartedAt) : 'not-running'
    },

    async find(nameOrId) {
      const found = await unless404(ask('inspect', QUICK, (docker) => docker.getContainer(nameOrId).inspect()))
      // Docker also takes id prefixes and names of links for a name: only the exact one counts.
      if (found === undefined || (found.Id !== nameOrId && found.Name !== `/${nameOrId}`)) return undefined
      return fromInspected(found)
    },

    async create(spec) {
      try {
        return await ask('create', CHANGE, async (docker) =>
          ContainerId.parse((await docker.createContainer(containerOptions(spec))).id),
        )
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
      for (const deadline = Date.now() + CHANGE; ; await sleep(REMOVE_STEP)) {
        try {
          return await ask('remove', CHANGE, (docker) => docker.getContainer(id).remove({ v: true }))
        } catch (error) {
          if (httpStatus(error) === 404) return
          // Somebody else is at it, which ends in a 404. 409 is said of a container that runs as well.
          const underWay = httpStatus(error) === 409 && engineMessage(error).includes('already in progress')
          if (!underWay || Date.now() >= deadline) throw answered(error, 'remove the worker')
        }
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
        // What is told of a dead one is why its removal failed.
        error: found.State.Status === 'dead' ? '' : found.State.Error,
      }
    },

    async usage(id) {
      return await unless404(
        ask('stats', QUICK, async (docker) => usageOf(await docker.getContainer(id).stats({ stream: false }))),
      )
    },

    async logs(id, options) {
      try {
        const stream = await ask('logs', QUICK, (docker) => openLog(docker, id, options))
        return logEntries(stream, { signal: options.signal, ...(options.follow ? {} : { silence: QUICK }) })
      } catch (error) {
        if ([404, 409].includes(httpStatus(error) ?? 0)) return undefined
        throw answered(error, "read the worker's output")
      }
    },

    terminal: (id, command, size) => openTerminal(ask, id, command, size),
    pipes: (id, command) => openPipes(ask, id, command),
    run: (id, command) => runToEnd(ask, id, command),

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
    networkOwner: ownerOf(listed.HostConfig.NetworkMode),
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
    networkOwner: ownerOf(found.HostConfig.NetworkMode),
  }
}

/** "container:ID"; the engine has put the id where a name was given. */
function ownerOf(networkMode: string | undefined): ContainerId | null {
  const [mode, id] = (networkMode ?? '').split(':')
  return (mode === 'container' && ContainerId.safeParse(id).data) || null
}

function createFailure(error: unknown, image: string): unknown {
  if (httpStatus(error) === 404 && engineMessage(error).toLowerCase().includes('no such image')) {
    return imageMissing(image, error)
  }
  return answered(error, 'create the worker')
}

/** An answer of the engine that says no, as a failure that quotes it. */
function answered(error: unknown, doing: string): unknown {
  if (httpStatus(error) === undefined) return error
  return new Failure('worker-failed', `The Docker engine could not ${doing}: ${engineMessage(error)}`, { cause: error })
}

/** Docker writes the year 1 for "never". */
function realTime(text: string): string | null {
  return text.startsWith('0001-') ? null : new Date(text).toISOString()
}

async function* parseEvents(stream: Readable): AsyncGenerator<EngineEvent> {
  for await (const value of jsonLines(stream)) {
    const event = EventLine.parse(value)
    const id = ContainerId.safeParse(event.Actor.ID)
    if (id.success) yield { id: id.data, action: event.Action }
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
