import { join } from 'node:path'
import type { ContainerId } from '../../coordinator/contract/names.ts'
import type { SpawnOrder } from '../../coordinator/domain/spawn-order.ts'
import { created, endOf, orderFor, specFor, started, type Subject } from './contract-worker.ts'
import { run, succeed, until } from './run.ts'

export type HolderState = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead' | 'removing'

/** A worker's container that holds its name; disposed of, it is gone. */
export type Holder = AsyncDisposable & { id: ContainerId; order: SpawnOrder; container: string }

/** A worker in a state of Docker's, brought there as it comes about. */
export async function holderIn(state: HolderState, subject: Subject, kept = false): Promise<Holder> {
  const order = { ...orderFor(subject, commandFor(state, subject)), remove: !kept }
  const id = await made(state, subject, order)
  return {
    id,
    order,
    container: specFor(subject, order).name,
    [Symbol.asyncDispose]: async () => void (await run('docker', ['rm', '-f', id])),
  }
}

function commandFor(state: HolderState, { commands }: Subject): string[] {
  if (state === 'exited' || state === 'dead') return commands.exit(3)
  // Files whose removal takes the engine a while.
  if (state === 'removing') return ['sh', '-c', 'mkdir /tmp/many; cd /tmp/many; seq 25000 | xargs touch']
  return commands.sleep
}

async function made(state: HolderState, subject: Subject, order: SpawnOrder): Promise<ContainerId> {
  const { engine } = subject
  switch (state) {
    case 'created':
      return await created(subject, order)
    case 'running':
      return (await started(subject, order)).id
    case 'paused': {
      const { id } = await started(subject, order)
      await succeed('docker', ['pause', id])
      return id
    }
    case 'restarting': {
      // As somebody may have it who gives a worker a restart policy of Docker's.
      const id = await created(subject, order, { entrypoint: ['false'] })
      await succeed('docker', ['update', '--restart', 'always', id])
      await engine.start(id)
      // Each time twice as long as before: 1.6 s after the fourth.
      const often = async () => Number(await succeed('docker', ['inspect', '-f', '{{.RestartCount}}', id])) >= 4
      await until('it has restarted often', often)
      await inState(subject, id, 'restarting')
      return id
    }
    case 'exited': {
      const { id } = await started(subject, order)
      await endOf(engine, id)
      return id
    }
    case 'dead': {
      const { id } = await started(subject, order)
      await endOf(engine, id)
      // A file that not even root can remove: the engine gives up half-way, and says that the container is dead.
      const file = join((await engine.host()).dataDirectory, 'containers', id, 'hostname')
      await succeed('chattr', ['+i', file])
      await run('docker', ['rm', id])
      await succeed('chattr', ['-i', file])
      await inState(subject, id, 'dead')
      return id
    }
    case 'removing': {
      const { id } = await started(subject, order)
      await endOf(engine, id)
      void run('docker', ['rm', id])
      await inState(subject, id, 'removing')
      return id
    }
  }
}

async function inState({ engine }: Subject, id: ContainerId, state: HolderState): Promise<void> {
  await until(`the container is ${state}`, async () => (await engine.find(id))?.state === state)
}
