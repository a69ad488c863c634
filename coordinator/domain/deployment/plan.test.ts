import { expect, test } from 'vitest'
import { planDown, planUp, render, type Seen } from './plan.ts'
import { parentSpec, type Wanted } from './specs.ts'

const HOLDER = 'aaaa1111'
const PARENT = 'bbbb2222'
const WORKER = 'cccc3333'

const WANTED: Wanted = {
  instance: 'trial',
  image: 'hal9000/parent:0.1.0',
  imageId: 'sha256:one',
  socket: '/var/run/docker.sock',
  roots: ['/home/u'],
  home: '/home/u',
  settings: { HAL9000_MAX_WORKERS: '4' },
  publish: undefined,
}

const NOTHING: Seen = {
  network: false,
  volume: false,
  holder: undefined,
  parent: undefined,
  leftovers: [],
  others: [],
  workers: 0,
  ended: [],
}

/** A deployment that is as wanted. */
function asWanted(wanted: Wanted = WANTED): Seen & { holder: object; parent: object } {
  const spec = parentSpec(wanted)
  return {
    ...NOTHING,
    network: true,
    volume: true,
    holder: { id: HOLDER, state: 'running', startedAt: 1000, hostname: wanted.instance, publish: wanted.publish ?? [] },
    parent: {
      id: PARENT,
      state: 'running',
      startedAt: 2000,
      imageId: wanted.imageId,
      spec: spec.labels['hal9000.spec'] ?? '',
      network: `container:${HOLDER}`,
      roots: spec.environment['HAL9000_PROJECT_ROOTS'] ?? '',
    },
  }
}

function up(wanted: Wanted, seen: Seen, options: { restart?: boolean; cutWorkers?: boolean } = {}): string {
  return render(planUp(wanted, seen, { restart: false, cutWorkers: false, ...options }))
}

test('on an empty engine everything is made, in the order in which it is needed', () => {
  expect(up(WANTED, NOTHING)).toBe(
    'create network: missing\ncreate volume: missing\ncreate holder: missing\ncreate parent: missing\n',
  )
})

test('a deployment that is as wanted is left alone', () => {
  expect(up(WANTED, asWanted())).toBe('')
})

test.for(['exited', 'created'] as const)('a holder that is %s is started, and the parent after it', (state) => {
  const seen = asWanted()
  expect(up(WANTED, { ...seen, holder: { ...seen.holder, state } })).toBe(
    `start net aaaa: ${state}\nrestart parent bbbb: its network holder was started after it\n`,
  )
})

test('a parent that was started before its holder is in a network that is gone: it is restarted', () => {
  const seen = asWanted()
  expect(up(WANTED, { ...seen, holder: { ...seen.holder, startedAt: 3000 } })).toBe(
    'restart parent bbbb: its network holder was started after it\n',
  )
})

test('after a restart of the engine both are started in order', () => {
  const seen = asWanted()
  const stopped = {
    ...seen,
    holder: { ...seen.holder, state: 'exited' as const },
    parent: { ...seen.parent, state: 'exited' as const },
  }
  expect(up(WANTED, stopped)).toBe('start net aaaa: exited\nstart parent bbbb: exited\n')
})

test('what is paused is unpaused', () => {
  const seen = asWanted()
  const paused = {
    ...seen,
    holder: { ...seen.holder, state: 'paused' as const },
    parent: { ...seen.parent, state: 'paused' as const },
  }
  expect(up(WANTED, paused)).toBe('unpause net aaaa: paused\nunpause parent bbbb: paused\n')
})

test.for([
  ['another image', { imageId: 'sha256:two' }, 'the image is another'],
  ['another root', { roots: ['/home/u', '/srv/work'] }, 'the project roots are others'],
  ['another setting', { settings: {} }, 'the settings are others'],
  ['another socket', { socket: '/run/user/1000/docker.sock' }, 'the settings are others'],
] as const)('%s replaces the parent only, also while workers run', ([, change, because]) => {
  expect(up({ ...WANTED, ...change }, { ...asWanted(), others: [WORKER], workers: 1 })).toBe(
    `replace parent bbbb: ${because}\n`,
  )
})

test('a parent whose start failed is made anew', () => {
  const seen = asWanted()
  expect(up(WANTED, { ...seen, parent: { ...seen.parent, state: 'created' } })).toBe(
    'replace parent bbbb: it was never started\n',
  )
})

test('a parent that is joined to another container is replaced', () => {
  const seen = asWanted()
  expect(up(WANTED, { ...seen, parent: { ...seen.parent, network: 'container:dddd' } })).toBe(
    'replace parent bbbb: it is not joined to the network holder\n',
  )
})

test('other published ports make the holder anew where no worker runs', () => {
  expect(up({ ...WANTED, publish: ['0.0.0.0:8080:80/tcp'] }, asWanted())).toBe(
    'remove net aaaa: published ports none become 0.0.0.0:8080:80/tcp\n' +
      'create holder: published ports none become 0.0.0.0:8080:80/tcp\n' +
      'replace parent bbbb: its network holder is made anew\n',
  )
})

test('another hostname or port with running workers is refused, with the flag that allows it', () => {
  const seen = { ...asWanted(), others: [WORKER], workers: 1 }
  const changed = { ...WANTED, publish: ['0.0.0.0:8080:80/tcp'] }
  expect(() => up(changed, seen)).toThrow(
    expect.objectContaining({ exitCode: 7, hint: expect.stringContaining('--cut-workers') }),
  )
  expect(up(changed, seen, { cutWorkers: true })).toContain('create holder')
})

test('without HAL9000_PUBLISH the ports stay as they are; with an empty one they are closed', () => {
  const published = asWanted({ ...WANTED, publish: ['0.0.0.0:8080:80/tcp'] })
  expect(up(WANTED, published)).toBe('')
  expect(up({ ...WANTED, publish: [] }, published)).toContain('become none')
})

test('a newer image does not touch the holder', () => {
  expect(up({ ...WANTED, image: 'hal9000/parent:0.2.0', imageId: 'sha256:two' }, asWanted())).not.toContain('holder')
})

test('a network that somebody removed makes the holder anew', () => {
  expect(up(WANTED, { ...asWanted(), network: false })).toBe(
    'create network: missing\nremove net aaaa: its network is gone\ncreate holder: its network is gone\n' +
      'replace parent bbbb: its network holder is made anew\n',
  )
})

test('restart restarts the parent; one that is to be replaced or started anyway is not restarted besides', () => {
  expect(up(WANTED, asWanted(), { restart: true })).toBe('restart parent bbbb: asked for\n')
  expect(up({ ...WANTED, settings: {} }, asWanted(), { restart: true })).toBe(
    'replace parent bbbb: the settings are others\n',
  )
})

test('what an interrupted up left behind is removed', () => {
  expect(up(WANTED, { ...asWanted(), leftovers: ['eeee5555'] })).toBe(
    'remove leftover eeee: an earlier up was interrupted\n',
  )
})

test('down removes parent, holder and network, and the state only when told so', () => {
  const all = 'stop parent bbbb: down\nremove parent bbbb: down\nremove net aaaa: down\nremove network: down\n'
  expect(render(planDown(asWanted(), { workers: 'ask', volumes: false }))).toBe(all)
  expect(render(planDown(asWanted(), { workers: 'ask', volumes: true }))).toBe(`${all}remove volume: down --volumes\n`)
})

test('down with nothing there does nothing', () => {
  expect(planDown(NOTHING, { workers: 'ask', volumes: true })).toEqual([])
})

test('down with running workers wants to know what becomes of them', () => {
  const seen = { ...asWanted(), others: [WORKER], workers: 1 }
  expect(() => planDown(seen, { workers: 'ask', volumes: false })).toThrow(expect.objectContaining({ exitCode: 9 }))
  expect(render(planDown(seen, { workers: 'keep', volumes: false }))).toBe(
    'stop parent bbbb: down\nremove parent bbbb: down\n',
  )
  expect(render(planDown(seen, { workers: 'stop', volumes: false }))).toMatch(
    /^stop workers cccc: down\nstop parent bbbb/,
  )
})

test('down --volumes leaves no container of a worker, ended or not', () => {
  const seen = { ...asWanted(), others: [WORKER], workers: 1, ended: ['d'.repeat(64)] }
  expect(render(planDown(seen, { workers: 'stop', volumes: true }))).toMatch(
    /remove workers cccc dddd: down --volumes\n.*net/,
  )
  expect(render(planDown(seen, { workers: 'stop', volumes: false }))).not.toContain('remove workers')
})

test('workers without a parent are stopped directly', () => {
  const seen = { ...asWanted(), parent: undefined, others: [WORKER], workers: 1 }
  expect(render(planDown(seen, { workers: 'stop', volumes: false }))).toMatch(
    /^stop workers cccc without a coordinator: down\n/,
  )
})

test('spares are no workers: nobody is asked, and they are stopped', () => {
  expect(render(planDown({ ...asWanted(), others: [WORKER] }, { workers: 'ask', volumes: false }))).toContain(
    'stop workers cccc',
  )
})
