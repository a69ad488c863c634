import { describe } from 'vitest'
import { Failure } from '../../coordinator/contract/failure.ts'
import { InstanceName } from '../../coordinator/contract/names.ts'
import { MemoryEngine } from '../../coordinator/docker/memory-engine.ts'
import type { Subject } from '../support/contract-worker.ts'
import { engineContract } from '../support/engine-contract.ts'
import { imageOf } from '../support/images.ts'
import { realEngine } from '../support/real-engine.ts'

const IMAGE = imageOf('worker-ultramin')

describe('the engine in memory', () => {
  engineContract(inMemory)
})
describe('the real engine', () => {
  engineContract(realEngine)
})

async function inMemory(): Promise<Subject> {
  const instance = InstanceName.parse('memory')
  const engine = new MemoryEngine(instance)
  engine.images.set(IMAGE, { id: 'sha256:1', labels: { 'hal9000.worker-protocol': '1' } })
  const away = new MemoryEngine(instance)
  away.away = new Failure('engine-unreachable', 'The engine is away.')
  return {
    engine,
    away,
    instance,
    image: IMAGE,
    neighbour: new MemoryEngine(InstanceName.parse('neighbour'), Date.now, engine),
    project: { path: '/project', uid: 1000, gid: 1000, identity: '1:2' },
    commands: { exit: (code) => ['exit', String(code)], echo: (text) => ['echo', text], sleep: ['sleep', '100'] },
    dispose: async () => {},
  }
}
