import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { type Output, run, succeed, until } from '../support/run.ts'
import { traces } from '../support/traces.ts'

const FILE = join(import.meta.dirname, '..', '..', 'compose.yaml')
let launched: Instance
let composed: Instance
let compose: (...words: string[]) => Promise<Output>

beforeAll(async () => {
  const command = await composeCommand()
  launched = await Instance.up()
  composed = await Instance.planned()
  const [program = '', ...first] = command
  compose = (...words) =>
    run(program, [...first, '-f', FILE, '-p', composed.name, ...words], {
      env: composed.env,
      cwd: composed.root,
      timeout: 120_000,
    })
  const up = await compose('up', '--detach', '--no-build')
  if (up.code !== 0) throw new Error(`compose up failed with ${up.code}:\n${up.stderr}`)
  await until('it is ready', async () => (await composed.exec(['coordinator', 'ready'])).code === 0, 30_000)
})
afterAll(async () => {
  await launched?.down()
  await composed?.down()
})

/** Compose v2 is a plugin of docker, 1.29 a program of its own. */
async function composeCommand(): Promise<string[]> {
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    const [program = '', ...first] = command
    const asked = await run(program, [...first, 'version']).catch(() => undefined)
    if (asked?.code === 0) return command
  }
  throw new Error('There is neither "docker compose" nor "docker-compose". Next: apt-get install docker-compose')
}

type Raw = {
  Id: string
  Config: { Env: string[]; Labels: Record<string, string>; [key: string]: unknown }
  HostConfig: {
    CapAdd: string[] | null
    Init: boolean | null
    NetworkMode: string
    RestartPolicy: { Name: string }
    [key: string]: unknown
  }
  Mounts: { Type: string; Name?: string; Source: string; Destination: string; RW: boolean; Propagation: string }[]
  NetworkSettings: { Networks: Record<string, unknown> }
}

/** What matters of a container, with the instance's own name, root and ids taken out. */
async function matters(instance: Instance, role: 'net' | 'parent'): Promise<unknown> {
  const inspect = (name: string) => succeed('docker', ['container', 'inspect', name])
  const [{ Id: holder }] = JSON.parse(await inspect(`${instance.name}-net`)) as [Raw]
  const [raw] = JSON.parse(await inspect(`${instance.name}-${role}`)) as [Raw]
  const { Config, HostConfig, Mounts } = raw
  const pick = (from: Record<string, unknown>, ...keys: string[]) => keys.map((key) => [key, from[key]])
  const seen = {
    config: pick(
      Config,
      'Hostname',
      'User',
      'WorkingDir',
      'Entrypoint',
      'Healthcheck',
      'StopSignal',
      'StopTimeout',
      'Tty',
      'OpenStdin',
    ).filter(
      // Joined to the holder's network, the parent's hostname is the holder's.
      ([key]) => role === 'net' || key !== 'Hostname',
    ),
    command: Config['Cmd'] ?? [],
    // An entry without a value sets nothing.
    environment: Config.Env.filter((entry) => entry.includes('=') && !entry.startsWith('WORKER_IMAGE=')).sort(),
    labels: Object.entries(Config.Labels)
      .filter(([label]) => /^hal9000\.(?!spec|key)/.test(label))
      .toSorted(([one], [other]) => one.localeCompare(other)),
    host: pick(
      HostConfig,
      'CapDrop',
      'SecurityOpt',
      'ReadonlyRootfs',
      'Privileged',
      'LogConfig',
      'Memory',
      'MemorySwap',
      'NanoCpus',
      'PidsLimit',
      'PortBindings',
      'PidMode',
      'IpcMode',
      'AutoRemove',
    ),
    restart: { ...HostConfig.RestartPolicy, Name: HostConfig.RestartPolicy.Name || 'no' },
    capabilities: (HostConfig.CapAdd ?? []).toSorted(),
    init: HostConfig.Init === true,
    network: HostConfig.NetworkMode,
    networks: Object.keys(raw.NetworkSettings.Networks),
    mounts: Mounts.map(({ Type, Name, Source, Destination, RW, Propagation }) =>
      [Destination, Type, Name ?? Source, RW, Propagation].join(' '),
    ).sort(),
  }
  const text = JSON.stringify(seen)
    .replaceAll(holder, 'HOLDER')
    .replaceAll(instance.root, 'ROOT')
    .replaceAll(instance.name, 'NAME')
  return JSON.parse(text) as unknown
}

test.each(['net', 'parent'] as const)('compose.yaml and ./hal9000 up make the same %s', async (role) => {
  expect(await matters(composed, role)).toEqual(await matters(launched, role))
})

test('spawn works in it, and the launcher works on it', async () => {
  const project = await composed.project('work')
  const { worker } = await composed.spawn(['-n', 'w', project, '--', 'sleep', '100'])
  expect(await succeed('docker', ['exec', worker.id, 'ls', '/sys/class/net'])).toContain('eth0')
  expect(await composed.hal(['list', '-q'])).toMatchObject({ code: 0, stdout: 'w\n' })
  expect(await composed.hal(['stop', 'w'])).toMatchObject({ code: 0 })
})

test('compose down --volumes leaves nothing', async () => {
  expect(await compose('down', '--volumes')).toMatchObject({ code: 0 })
  expect(await traces(composed.name)).toEqual([])
})
