import type { ContainerCreateOptions, ContainerInspectInfo } from 'dockerode'
import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { LABEL } from '../contract/labels.ts'
import { MountsPrivate, Overtaken, SourceMissing, type Deployment } from './deployment.ts'
import type { ContainerState } from '../domain/deployment/plan.ts'
import { ownLabels, stateVolume, type DeploymentSpec } from '../domain/deployment/specs.ts'
import type { Connection } from './connection.ts'
import { engineMessage, httpStatus, settled, unless404 } from './engine-failure.ts'
import { logEntries, openLog } from './log-stream.ts'

/** Deadlines of single calls. Milliseconds. */
const QUICK = 10_000
const CHANGE = 30_000
/** An `up` that makes a parent needs less than this until it has put it in place. Milliseconds. */
const AT_WORK = 15_000

/** What is read of the engine's answers where dockerode has no type for it, or one that is too wide. */
const Info = z.object({ DockerRootDir: z.string() })
const State = z.enum([
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
]) satisfies z.ZodType<ContainerState>
const Binding = z.object({ HostIp: z.string().optional(), HostPort: z.string() })
const Bindings = z
  .record(z.string(), z.array(Binding).nullable())
  .nullish()
  .transform((bindings) => bindings ?? {})

/** The deployment of one instance behind a Docker socket. */
export function dockerDeployment({ call }: Connection, instance: string, now: () => number): Deployment {
  const inspect = (name: string) => unless404(call('inspect', QUICK, (docker) => docker.getContainer(name).inspect()))
  const labels = ownLabels(instance)
  const isOurs = (found: { Labels?: Record<string, string> | undefined } | undefined): boolean =>
    found?.Labels?.[LABEL.managed] === 'true' && found.Labels[LABEL.instance] === instance

  /** A container of the deployment by its name. One that is there without our labels is foreign: never touched. */
  async function own(name: string): Promise<ContainerInspectInfo | undefined> {
    const found = await inspect(name)
    if (found === undefined || found.Name !== `/${name}`) return undefined
    if (isOurs({ Labels: found.Config.Labels })) return found
    throw new Failure('name-in-use', `There is a container "${name}" that is not part of this deployment.`, {
      hint: `remove it (docker rm -f ${name}), or choose another name: HAL9000_NAME=other ./hal9000 up`,
    })
  }

  async function list() {
    const filters = { label: [`${LABEL.managed}=true`, `${LABEL.instance}=${instance}`] }
    return call('list', QUICK, (docker) => docker.listContainers({ all: true, filters }))
  }

  return {
    async see() {
      const [holder, parent, all, network, volume] = await Promise.all([
        own(`${instance}-net`),
        own(`${instance}-parent`),
        list(),
        unless404(call('inspect network', QUICK, (docker) => docker.getNetwork(instance).inspect())),
        unless404(call('inspect volume', QUICK, (docker) => docker.getVolume(stateVolume(instance)).inspect())),
      ])
      const known = new Set([holder?.Id, parent?.Id])
      const rest = all.filter(({ Id }) => !known.has(Id))
      const notOurselves = rest.filter(({ Labels }) => Labels[LABEL.role] !== 'parent')
      const hasEnded = ({ State }: { State: string }): boolean => State === 'exited' || State === 'dead'
      const others = notOurselves.filter((found) => !hasEnded(found))
      return {
        network: network !== undefined,
        volume: volume !== undefined,
        holder: holder && {
          ...lifeOf(holder),
          hostname: holder.Config.Hostname,
          publish: publishedOf(holder),
        },
        parent: parent && {
          ...lifeOf(parent),
          imageId: parent.Image,
          spec: parent.Config.Labels[LABEL.spec] ?? '',
          network: parent.HostConfig.NetworkMode ?? '',
          roots: variable(parent, 'HAL9000_PROJECT_ROOTS'),
        },
        // Young ones may belong to an `up` that is at work right now.
        leftovers: rest
          .filter(
            ({ Labels, State, Created }) =>
              Labels[LABEL.role] === 'parent' && State === 'created' && now() - Created * 1000 > AT_WORK,
          )
          .map(({ Id }) => Id),
        others: others.map(({ Id }) => Id),
        ended: notOurselves.filter(hasEnded).map(({ Id }) => Id),
        workers: others.filter(({ Labels }) => Labels[LABEL.role] === 'worker').length,
      }
    },

    async imageId(reference) {
      return (await unless404(call('inspect image', QUICK, (docker) => docker.getImage(reference).inspect())))?.Id
    },

    async engineDirectory() {
      return Info.parse(await call('info', QUICK, (docker) => docker.info())).DockerRootDir
    },

    async createNetwork() {
      const options = { Name: instance, Driver: 'bridge', CheckDuplicate: true, Labels: labels }
      await settled(
        call('create network', CHANGE, (docker) => docker.createNetwork(options)),
        [409],
      )
    },

    async createVolume() {
      await call('create volume', CHANGE, (docker) =>
        docker.createVolume({ Name: stateVolume(instance), Labels: labels }),
      )
    },

    async removeNetwork() {
      const found = await unless404(call('inspect network', QUICK, (docker) => docker.getNetwork(instance).inspect()))
      // Somebody else's network is used as it is and left alone.
      if (isOurs(found))
        await settled(
          call('remove network', CHANGE, (docker) => docker.getNetwork(instance).remove()),
          [404],
        )
    },

    async removeVolume() {
      const volume = stateVolume(instance)
      const found = await unless404(call('inspect volume', QUICK, (docker) => docker.getVolume(volume).inspect()))
      if (isOurs(found))
        await settled(
          call('remove volume', CHANGE, (docker) => docker.getVolume(volume).remove()),
          [404],
        )
    },

    async holderId() {
      const found = await own(`${instance}-net`)
      if (found === undefined) throw new Overtaken(`${instance}-net is gone`)
      return found.Id
    },

    async create(spec) {
      try {
        return (await call('create', CHANGE, (docker) => docker.createContainer(createOptions(spec)))).id
      } catch (error) {
        throw createFailure(error)
      }
    },

    async rename(id, name) {
      try {
        await call('rename', QUICK, (docker) => docker.getContainer(id).rename({ name }))
      } catch (error) {
        throw [404, 409].includes(httpStatus(error) ?? 0) ? new Overtaken(engineMessage(error)) : answered(error)
      }
    },

    async start(id) {
      try {
        await settled(
          call('start', CHANGE, (docker) => docker.getContainer(id).start()),
          [304],
        )
      } catch (error) {
        throw startFailure(error)
      }
    },

    async unpause(id) {
      await settled(
        call('unpause', CHANGE, (docker) => docker.getContainer(id).unpause()),
        [304, 409],
      )
    },

    async stop(id, grace) {
      await settled(
        call('stop', grace * 1000 + CHANGE, (docker) => docker.getContainer(id).stop({ t: grace })),
        [304, 404],
      )
    },

    async remove(id) {
      // 409: another removal of it is under way.
      await settled(
        call('remove', CHANGE, (docker) => docker.getContainer(id).remove({ force: true, v: true })),
        [404, 409],
      )
    },

    async run(id, command) {
      const { id: exec } = await call('exec', QUICK, (docker) =>
        docker.getContainer(id).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true }),
      )
      const stream = await call('exec start', QUICK, (docker) =>
        docker.getExec(exec).start({ hijack: true, stdin: false }),
      )
      try {
        await call('exec output', 2 * CHANGE, async () => {
          for await (const _ of stream);
        })
      } finally {
        stream.destroy()
      }
      return (await call('exec inspect', QUICK, (docker) => docker.getExec(exec).inspect())).ExitCode
    },

    async logTail(id, lines) {
      const stream = await call('logs', QUICK, (docker) => openLog(docker, id, { follow: false, tail: lines }))
      let text = ''
      for await (const { data } of logEntries(stream, { silence: QUICK })) text += data.toString()
      return text
    },
  }
}

function lifeOf(found: ContainerInspectInfo): { id: string; state: ContainerState; startedAt: number } {
  return { id: found.Id, state: State.parse(found.State.Status), startedAt: Date.parse(found.State.StartedAt) }
}

function publishedOf(found: ContainerInspectInfo): string[] {
  const bindings = Bindings.parse(found.HostConfig.PortBindings)
  return Object.entries(bindings)
    .flatMap(([port, hosts]) => (hosts ?? []).map(({ HostIp, HostPort }) => `${address(HostIp)}:${HostPort}:${port}`))
    .sort()
}

/** Docker leaves out the address for "all", and the brackets of IPv6. */
function address(ip: string | undefined): string {
  if (!ip) return '0.0.0.0'
  return ip.includes(':') ? `[${ip}]` : ip
}

function variable(found: ContainerInspectInfo, name: string): string {
  return found.Config.Env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}

/** A spec in the Engine API's words. Source: Docker Engine API 1.41, "Create a container". */
function createOptions(spec: DeploymentSpec): ContainerCreateOptions {
  const ports = spec.publish.map((entry) => /^(.+):(\d+):(\d+\/\w+)$/.exec(entry) ?? [])
  return {
    name: spec.name,
    Image: spec.image,
    Labels: spec.labels,
    ...(spec.hostname === undefined ? {} : { Hostname: spec.hostname }),
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: [...spec.entrypoint], Cmd: [] }),
    ...(spec.healthcheck ? {} : { Healthcheck: { Test: ['NONE'] } }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    ExposedPorts: Object.fromEntries(ports.map(([, , , port]) => [port, {}])),
    HostConfig: {
      NetworkMode: spec.network,
      PortBindings: portBindings(ports),
      Mounts: spec.mounts.map(({ type, source, target, readOnly }) => ({
        Type: type,
        Source: source,
        Target: target,
        ReadOnly: readOnly,
        ...(type === 'bind' && readOnly
          ? { BindOptions: { Propagation: spec.followMounts ? 'rslave' : 'rprivate' } }
          : {}),
      })),
      CapDrop: ['ALL'],
      CapAdd: [...spec.capabilities],
      SecurityOpt: ['no-new-privileges:true'],
      ReadonlyRootfs: spec.readOnlyRoot,
      Init: spec.init,
      ...(spec.memory === undefined ? {} : { Memory: spec.memory, MemorySwap: spec.memory }),
      RestartPolicy: spec.restarts === 0 ? { Name: 'no' } : { Name: 'on-failure', MaximumRetryCount: spec.restarts },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  }
}

function portBindings(ports: readonly (readonly string[])[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const [, ip = '', host = '', port = ''] of ports) {
    const binding = { HostIp: ip.replaceAll(/[[\]]/g, ''), HostPort: host }
    bindings[port] = [...(bindings[port] ?? []), binding]
  }
  return bindings
}

/** "path /home/u is mounted on / but it is not a shared or slave mount" */
function startFailure(error: unknown): unknown {
  if (httpStatus(error) === 404) return new Overtaken(engineMessage(error))
  return /not a shared or slave mount/.test(engineMessage(error)) ? new MountsPrivate() : mountFailure(error)
}

function createFailure(error: unknown): unknown {
  return httpStatus(error) === 409 ? new Overtaken(engineMessage(error)) : mountFailure(error)
}

/** The engine looks for the sources of bind mounts at create and again at every start. */
function mountFailure(error: unknown): unknown {
  const missing = /bind source path does not exist: (.+)$/.exec(engineMessage(error))?.[1]
  return missing === undefined ? answered(error) : new SourceMissing(missing)
}

/** An answer of the engine that says no, as a failure that quotes it. */
function answered(error: unknown): unknown {
  if (httpStatus(error) === undefined) return error
  return new Failure('unexpected', `The Docker engine refused: ${engineMessage(error)}`, { cause: error })
}
