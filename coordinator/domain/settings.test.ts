import { describe, expect, test } from 'vitest'
import { type Host, type Layers, type Resolved, resolveSettings } from './settings.ts'

const G = 2 ** 30
const HOST: Host = { cpus: 8, memory: 32 * G }

function resolve(layers: Partial<Layers>, host = HOST): Resolved {
  return resolveSettings(
    { flags: {}, clientEnv: {}, projectFile: {}, userFile: {}, parentEnv: {}, ...layers },
    { image: 'default' },
    host,
  )
}

test('without a word from anyone the defaults hold', () => {
  expect(resolve({})).toEqual({
    image: 'default',
    pull: 'never',
    command: undefined,
    limits: { memory: 4 * G, cpus: 2, pids: 100 },
    env: {},
    timeout: undefined,
    onNetworkLoss: 'keep',
    notices: [],
  })
})

test('of all who name an image the strongest wins', () => {
  const layers: (keyof Layers)[] = ['parentEnv', 'userFile', 'projectFile', 'clientEnv', 'flags']
  let given: Partial<Layers> = {}
  for (const layer of layers) {
    given = { ...given, [layer]: { image: layer } }
    expect(resolve(given).image).toBe(layer)
  }
})

describe('whether an image is pulled', () => {
  const image = 'ghcr.io/me/worker:1'

  test('is said by the strongest, and is never without a word', () => {
    const userFile = { image }
    expect(resolve({ userFile }).pull).toBe('never')
    const layers: (keyof Layers)[] = ['parentEnv', 'userFile', 'clientEnv', 'flags']
    let given: Partial<Layers> = { userFile }
    for (const [index, layer] of layers.entries()) {
      const pull = index % 2 === 0 ? 'always' : 'missing'
      given = { ...given, [layer]: { ...given[layer], pull } }
      expect(resolve(given).pull).toBe(pull)
    }
  })

  test('of one that the project names is said by the flag alone', () => {
    const standing = {
      clientEnv: { pull: 'missing' },
      userFile: { pull: 'always' },
      parentEnv: { pull: 'always' },
    } as const
    expect(resolve({ ...standing, projectFile: { image } }).pull).toBe('never')
    expect(resolve({ ...standing, projectFile: { image }, flags: { pull: 'missing' } }).pull).toBe('missing')
    // What the person names is the person's, whatever the project would have.
    expect(resolve({ ...standing, projectFile: { image }, flags: { image } }).pull).toBe('missing')
    expect(resolve({ ...standing, projectFile: { image }, clientEnv: { image, pull: 'missing' } }).pull).toBe('missing')
  })

  test('is no question with one of ours: it is built; whoever asks for it all the same is told', () => {
    const userFile = { image: 'hal9000/worker:9', pull: 'always' as const }
    expect(resolve({ userFile })).toMatchObject({ pull: 'never', notices: [] })
    expect(resolve({ userFile, flags: { pull: 'missing' } })).toMatchObject({
      pull: 'never',
      notices: ['Image "hal9000/worker:9" was not pulled: images of that name are built here.'],
    })
  })
})

test('a command comes from the flags, else the project, else the user', () => {
  expect(resolve({ userFile: { command: ['u'] } }).command).toEqual(['u'])
  expect(resolve({ userFile: { command: ['u'] }, projectFile: { command: ['p'] } }).command).toEqual(['p'])
  expect(resolve({ flags: { command: ['f'] }, projectFile: { command: ['p'] } }).command).toEqual(['f'])
})

test('environments are joined, the stronger over the weaker', () => {
  const env = resolve({
    userFile: { env: { A: 'u', B: 'u', C: 'u' } },
    projectFile: { env: { B: 'p', C: 'p' } },
    flags: { env: { C: 'f' } },
  }).env
  expect(env).toEqual({ A: 'u', B: 'p', C: 'f' })
})

describe('a limit', () => {
  test.each<[string, Partial<Layers>, number]>([
    [
      'flag over everything',
      { flags: { cpus: 1 }, clientEnv: { cpus: 3 }, userFile: { cpus: 4 }, parentEnv: { cpus: 5 } },
      1,
    ],
    ['client’s environment over files', { clientEnv: { cpus: 3 }, userFile: { cpus: 4 }, parentEnv: { cpus: 5 } }, 3],
    ['user’s file over the parent', { userFile: { cpus: 4 }, parentEnv: { cpus: 5 } }, 4],
    ['parent over the default', { parentEnv: { cpus: 5 } }, 5],
    ['flag over a lower one of the project', { flags: { cpus: 3 }, projectFile: { cpus: 1 } }, 3],
  ])('%s', (_what, layers, cpus) => {
    expect(resolve(layers).limits.cpus).toBe(cpus)
  })

  test('that someone asked for and the host does not have is refused', () => {
    expect(() => resolve({ flags: { memory: 33 * G } })).toThrow(
      expect.objectContaining({
        code: 'invalid-value',
        message: '--memory 33 GiB is more than this host has (32 GiB).',
      }),
    )
    expect(() => resolve({ clientEnv: { cpus: 9 } })).toThrow('WORKER_CPUS 9 is more than this host has (8).')
    expect(resolve({ flags: { cpus: 8, memory: 32 * G, pidsLimit: 4_000_000 } }).limits).toEqual({
      cpus: 8,
      memory: 32 * G,
      pids: 4_000_000,
    })
  })

  test('that is only a default is lowered to what the host has, with a notice', () => {
    const { limits, notices } = resolve({ parentEnv: { memory: 16 * G } }, { cpus: 1, memory: 2 * G })
    expect(limits).toEqual({ memory: 2 * G, cpus: 1, pids: 100 })
    expect(notices).toEqual([
      'The memory limit of 16 GiB was lowered to the 2 GiB that this host has.',
      'The cpus limit of 2 was lowered to the 1 that this host has.',
    ])
  })

  test('is lifted by --no-limits, except where one is asked for by name', () => {
    expect(resolve({ flags: { noLimits: true } }).limits).toEqual({ memory: null, cpus: null, pids: null })
    expect(resolve({ flags: { noLimits: true, cpus: 1 } }).limits).toEqual({ memory: null, cpus: 1, pids: null })
    expect(resolve({ flags: { noLimits: false }, userFile: { noLimits: true } }).limits.cpus).toBe(2)
  })
})

describe('a project file', () => {
  test('may lower a limit and never raise it', () => {
    expect(resolve({ projectFile: { memory: G, cpus: 0.5, pidsLimit: 50 } })).toMatchObject({
      limits: { memory: G, cpus: 0.5, pids: 50 },
      notices: [],
    })
    const { limits, notices } = resolve({ projectFile: { memory: 5 * G, cpus: 3, pidsLimit: 101 } })
    expect(limits).toEqual({ memory: 4 * G, cpus: 2, pids: 100 })
    expect(notices).toEqual([
      "The project file's memory is above the limit of 4 GiB; a project file may only lower it.",
      "The project file's cpus is above the limit of 2; a project file may only lower it.",
      "The project file's pidsLimit is above the limit of 100; a project file may only lower it.",
    ])
  })

  test('cannot lift the limits, and may set one where there is none', () => {
    expect(resolve({ projectFile: { noLimits: true } })).toMatchObject({
      limits: { memory: 4 * G, cpus: 2, pids: 100 },
      notices: ['The project file asks for no limits; a project file may only lower them.'],
    })
    expect(resolve({ flags: { noLimits: true }, projectFile: { cpus: 1 } }).limits).toEqual({
      memory: null,
      cpus: 1,
      pids: null,
    })
  })

  test('may shorten the time of a default and not that of a person', () => {
    expect(resolve({ projectFile: { timeout: 10 } }).timeout).toBe(10)
    expect(resolve({ userFile: { timeout: 20 }, projectFile: { timeout: 10 } }).timeout).toBe(10)
    expect(
      resolve({ userFile: { timeout: 20 }, parentEnv: { timeout: 5 }, projectFile: { timeout: 30 } }).timeout,
    ).toBe(20)
    expect(resolve({ parentEnv: { timeout: 20 }, projectFile: { timeout: 30 } }).timeout).toBe(20)
    expect(resolve({ clientEnv: { timeout: 20 }, projectFile: { timeout: 10 } }).timeout).toBe(20)
    expect(resolve({ flags: { timeout: 30 }, clientEnv: { timeout: 20 }, projectFile: { timeout: 10 } }).timeout).toBe(
      30,
    )
  })

  test('may have its worker stopped when the network is lost, and not undo that it is', () => {
    expect(resolve({ projectFile: { onNetworkLoss: 'stop' }, userFile: { onNetworkLoss: 'keep' } }).onNetworkLoss).toBe(
      'stop',
    )
    expect(resolve({ projectFile: { onNetworkLoss: 'keep' }, userFile: { onNetworkLoss: 'stop' } }).onNetworkLoss).toBe(
      'stop',
    )
    expect(
      resolve({ projectFile: { onNetworkLoss: 'keep' }, parentEnv: { onNetworkLoss: 'stop' } }).onNetworkLoss,
    ).toBe('stop')
    const clientEnv = { onNetworkLoss: 'keep' as const }
    expect(resolve({ clientEnv, projectFile: { onNetworkLoss: 'stop' } }).onNetworkLoss).toBe('keep')
    expect(resolve({ flags: { onNetworkLoss: 'stop' }, clientEnv }).onNetworkLoss).toBe('stop')
  })
})
