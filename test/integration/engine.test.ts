import { describe } from 'vitest'
import { Failure } from '../../coordinator/contract/failure.ts'
import { InstanceName } from '../../coordinator/contract/names.ts'
import { MemoryEngine } from '../../coordinator/docker/memory-engine.ts'
import { engineContract, type PullSubject } from '../support/engine-contract.ts'
import { imageOf } from '../support/images.ts'
import { realEngine } from '../support/real-engine.ts'
import { Registry } from '../support/registry.ts'

const IMAGE = imageOf('worker-ultramin')

describe('the engine in memory', () => {
  engineContract(inMemory)
})
describe('the real engine', () => {
  engineContract(real)
})

async function inMemory(): Promise<PullSubject> {
  const instance = InstanceName.parse('memory')
  const engine = new MemoryEngine(instance)
  engine.images.set(IMAGE, { id: 'sha256:1', labels: { 'hal9000.worker-protocol': '1' } })
  const registry = { there: 'registry/there:1', endless: 'registry/endless:1', none: 'registry/none:1' }
  engine.registry.set(registry.there, { id: 'sha256:2', labels: { 'hal9000.worker-protocol': '1' } })
  engine.registry.set(registry.endless, new Promise(() => {}))
  const away = new MemoryEngine(instance)
  away.away = new Failure('engine-unreachable', 'The engine is away.')
  return {
    engine,
    away,
    instance,
    image: IMAGE,
    registry,
    neighbour: new MemoryEngine(InstanceName.parse('neighbour'), Date.now, engine),
    project: { path: '/project', uid: 1000, gid: 1000, identity: '1:2' },
    commands: { exit: (code) => ['exit', String(code)], echo: (text) => ['echo', text], sleep: ['sleep', '100'] },
    dispose: async () => {},
  }
}

async function real(): Promise<PullSubject> {
  const [subject, registry] = await Promise.all([realEngine(), Registry.start()])
  const [there, endless] = await Promise.all([registry.publish('there'), registry.publish('endless', 'half')])
  return {
    ...subject,
    registry: { there, endless, none: registry.reference('none') },
    dispose: async () => {
      await registry.close()
      await subject.dispose()
    },
  }
}
