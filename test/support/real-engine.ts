import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InstanceName } from '../../coordinator/contract/names.ts'
import { connector } from '../../coordinator/docker/connection.ts'
import { dockerodeEngine } from '../../coordinator/docker/dockerode-engine.ts'
import type { Subject } from './contract-worker.ts'
import { imageOf } from './images.ts'
import { run, succeed } from './run.ts'

/** This machine's engine, seen by an instance that nobody else cares for. */
export async function realEngine(): Promise<Subject> {
  const socket = '/var/run/docker.sock'
  const instance = InstanceName.parse(`hal9000-test-${randomBytes(3).toString('hex')}`)
  const path = await mkdtemp(join(tmpdir(), 'hal9000-test-'))
  const { uid, gid, dev, ino } = await stat(path)
  return {
    engine: dockerodeEngine(connector(socket), instance),
    neighbour: dockerodeEngine(connector(socket), InstanceName.parse(`${instance}-2`)),
    away: dockerodeEngine(connector(join(path, 'no.sock')), instance),
    instance,
    image: imageOf('worker-ultramin'),
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
