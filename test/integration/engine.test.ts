import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { Failure } from '../../coordinator/contract/failure.ts'
import { InstanceName } from '../../coordinator/contract/names.ts'
import { connector } from '../../coordinator/docker/connection.ts'
import { dockerodeEngine } from '../../coordinator/docker/dockerode-engine.ts'
import { MemoryEngine } from '../../coordinator/docker/memory-engine.ts'
import type { Subject } from '../support/contract-worker.ts'
import { engineContract } from '../support/engine-contract.ts'
import { run, succeed } from '../support/run.ts'

const IMAGE = 'hal9000/worker-ultramin:0.1.0'

describe('the engine in memory', () => {
  engineContract(inMemory)
})
describe('the real engine', () => {
  engineContract(real)
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

async function real(): Promise<Subject> {
  const socket = '/var/run/docker.sock'
  const instance = InstanceName.parse(`hal9000-test-${randomBytes(3).toString('hex')}`)
  const path = await mkdtemp(join(tmpdir(), 'hal9000-test-'))
  const { uid, gid, dev, ino } = await stat(path)
  return {
    engine: dockerodeEngine(connector(socket), instance),
    neighbour: dockerodeEngine(connector(socket), InstanceName.parse(`${instance}-2`)),
    away: dockerodeEngine(connector(join(path, 'no.sock')), instance),
    instance,
    image: IMAGE,
    project: { path, uid, gid, identity: `${dev}:${ino}` },
    commands: {
      exit: (code) => ['sh', '-c', `exit ${code}`],
      echo: (text) => ['echo', text],
      sleep: ['sleep', '100'],
    },
    dispose: async () => {
      // What a failed test left.
      const label = `label=hal9000.instance=${instance}`
      const ids = (await succeed('docker', ['ps', '-aq', '--filter', label])).split('\n').filter((id) => id !== '')
      if (ids.length > 0) await run('docker', ['rm', '-f', ...ids])
      await rm(path, { recursive: true })
    },
  }
}
