import { expect, test } from 'vitest'
import { MountsPrivate, Overtaken, SourceMissing, type Deployment } from '../docker/deployment.ts'
import type { Seen } from '../domain/deployment/plan.ts'
import type { DeploymentSpec, Wanted } from '../domain/deployment/specs.ts'
import { up } from './up.ts'

const WANTED: Wanted = {
  instance: 'trial',
  image: 'hal9000/parent:0.1.0',
  imageId: 'sha256:one',
  socket: '/var/run/docker.sock',
  roots: ['/home/u', '/mnt/disk'],
  home: '/home/u',
  settings: {},
  publish: undefined,
}

/** An engine in memory for one deployment; `trouble` may throw before an effect. */
function engine(
  trouble: {
    create?: (spec: DeploymentSpec) => void
    start?: (spec: DeploymentSpec) => void
    readyAfter?: number
  } = {},
) {
  const containers = new Map<
    string,
    { spec: DeploymentSpec; state: 'created' | 'running' | 'exited'; startedAt: number }
  >()
  let network = false
  let volume = false
  let clock = 0
  let asked = 0
  const said: string[] = []
  const byName = (name: string) => [...containers].find(([, { spec }]) => spec.name === name)

  const deployment: Deployment = {
    async see(): Promise<Seen> {
      const holder = byName('trial-net')
      const parent = byName('trial-parent')
      return {
        network,
        volume,
        holder: holder && {
          id: holder[0],
          ...holder[1],
          hostname: holder[1].spec.hostname ?? '',
          publish: holder[1].spec.publish,
        },
        parent: parent && {
          id: parent[0],
          ...parent[1],
          imageId: 'sha256:one',
          spec: parent[1].spec.labels['hal9000.spec'] ?? '',
          network: parent[1].spec.network,
          roots: parent[1].spec.environment['HAL9000_PROJECT_ROOTS'] ?? '',
        },
        leftovers: [],
        others: [],
        workers: 0,
        ended: [],
      }
    },
    imageId: async () => 'sha256:one',
    engineDirectory: async () => '/var/lib/docker',
    createNetwork: async () => void (network = true),
    createVolume: async () => void (volume = true),
    removeNetwork: async () => void (network = false),
    removeVolume: async () => void (volume = false),
    holderId: async () => byName('trial-net')?.[0] ?? '',
    async create(spec) {
      trouble.create?.(spec)
      if (byName(spec.name) !== undefined) throw new Overtaken(spec.name)
      const id = `id${containers.size}-${clock++}`
      containers.set(id, { spec, state: 'created', startedAt: 0 })
      return id
    },
    async rename(id, name) {
      const found = containers.get(id)
      if (found) found.spec = { ...found.spec, name }
    },
    async start(id) {
      const found = containers.get(id)
      if (found === undefined) throw new Overtaken(id)
      trouble.start?.(found.spec)
      Object.assign(found, { state: 'running', startedAt: ++clock })
    },
    unpause: async () => {},
    async stop(id) {
      Object.assign(containers.get(id) ?? {}, { state: 'exited' })
    },
    remove: async (id) => void containers.delete(id),
    run: async () => (asked++ >= (trouble.readyAfter ?? 0) ? 0 : 4),
    logTail: async () => 'the last line\n',
  }
  const world = {
    say: (line: string) => void said.push(line),
    now: () => clock,
    sleep: async (ms: number) => void (clock += ms),
  }
  return {
    said,
    deployment,
    up: (wanted = WANTED, restart = false) => up(wanted, { restart, cutWorkers: false }, deployment, world),
    parent: () => byName('trial-parent')?.[1],
    count: () => containers.size,
  }
}

test('a second up says nothing and does nothing', async () => {
  const one = engine()
  await one.up()
  const before = one.parent()
  one.said.length = 0
  await one.up()
  expect(one.parent()).toBe(before)
  expect(one.said).toEqual([])
})

test('a root that has vanished is dropped with a notice, and the parent comes up without it', async () => {
  const one = engine({
    create: ({ mounts }) => {
      if (mounts.some(({ source }) => source === '/mnt/disk')) throw new SourceMissing('/mnt/disk')
    },
  })
  expect(await one.up()).toEqual(['/home/u'])
  expect(one.parent()?.spec.environment['HAL9000_PROJECT_ROOTS']).toBe('["/home/u"]')
  expect(one.said.join('\n')).toContain('./hal9000 up --projects /mnt/disk')
})

test('a root that vanished after the parent was made does not keep it from coming back', async () => {
  let gone = false
  const one = engine({
    start: ({ mounts }) => {
      if (gone && mounts.some(({ source }) => source === '/mnt/disk')) throw new SourceMissing('/mnt/disk')
    },
  })
  await one.up()
  gone = true
  expect(await one.up(WANTED, true)).toEqual(['/home/u'])
  expect(one.parent()?.state).toBe('running')
})

test('on a host with private mounts the parent is made without following them', async () => {
  const one = engine({
    start: ({ followMounts }) => {
      if (followMounts) throw new MountsPrivate()
    },
  })
  await one.up()
  expect(one.parent()).toMatchObject({ state: 'running', spec: { followMounts: false } })
  expect(one.count()).toBe(2)
})

test('a parent that is replaced leaves one parent, under its own name, and the holder untouched', async () => {
  const one = engine()
  await one.up()
  const holder = (await one.deployment.see()).holder?.id
  await one.up({ ...WANTED, settings: { HAL9000_MAX_WORKERS: '3' } })
  expect(one.parent()).toMatchObject({ state: 'running', spec: { environment: { HAL9000_MAX_WORKERS: '3' } } })
  expect((await one.deployment.see()).holder?.id).toBe(holder)
  expect(one.count()).toBe(2)
})

test('two at the same time make one deployment', async () => {
  const one = engine()
  await Promise.all([one.up(), one.up()])
  expect(one.count()).toBe(2)
  expect(one.parent()?.state).toBe('running')
})

test('a coordinator that does not become ready within 30 s is a failure with the end of the log', async () => {
  const one = engine({ readyAfter: 1_000_000 })
  await expect(one.up()).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringContaining('the last line'),
  })
})

test('a parent that ends while it starts is a failure at once', async () => {
  const one = engine({ readyAfter: 1_000_000 })
  one.deployment.run = async () => {
    Object.assign(one.parent() ?? {}, { state: 'exited' })
    return 1
  }
  await expect(one.up()).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringContaining('ended while it started'),
  })
})

test('a parent that still has the socket of the engine before the last restart is restarted', async () => {
  const one = engine()
  await one.up()
  let renewed = false
  one.deployment.stop = async () => void (renewed = true)
  one.deployment.run = async (_, [program]) => (program === 'sh' ? (renewed ? 1 : 0) : renewed ? 0 : 4)
  await one.up()
  expect(one.said.at(-1)).toMatch(/^parent {10}restarted \(the Docker engine has a new socket\) in /)
})

test('a coordinator that is kept down is asked to start, once', async () => {
  const one = engine()
  const asked: string[] = []
  one.deployment.run = async (_, command) => {
    asked.push(command.join(' '))
    return asked.length > 3 ? 0 : 4
  }
  await one.up()
  expect(asked).toEqual(['coordinator ready', 'coordinator daemon start', 'coordinator ready', 'coordinator ready'])
})
