import type { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import type { Chance } from './chance.ts'
import type { SecondEngine } from './second-engine.ts'

/** Where it happens. */
export type Place = { instance: Instance; engine: SecondEngine; chance: Chance }

/** What may befall a deployment; each is over when its promise is fulfilled, and nothing of it is left to be mended. */
export const TROUBLES: Record<string, (place: Place) => Promise<void>> = {
  'coordinator killed': (place) => toService(place, 'coordinator', 'KILL'),
  'coordinator asked to leave': (place) => toService(place, 'coordinator', 'TERM'),

  'coordinator stopped for a while': async (place) => {
    await toService(place, 'coordinator', 'STOP')
    await pause(place.chance.between(1_000, 12_000))
    await toService(place, 'coordinator', 'CONT')
  },

  'coordinator stopped, and another one started by force': async (place) => {
    await toService(place, 'coordinator', 'STOP')
    await place.instance.exec(['coordinator', 'daemon', 'restart', '--force'])
  },

  'ten starts at once': async ({ instance }) => {
    await instance.exec(['sh', '-c', 'for i in $(seq 10); do coordinator daemon start & done; wait'])
  },

  'Redis killed': (place) => toService(place, 'redis', 'KILL'),

  'Redis away for a while': async ({ instance, chance }) => {
    await instance.exec(['s6-svc', '-d', '/run/hal9000/service/redis'])
    await pause(chance.between(1_000, 10_000))
    await instance.exec(['s6-svc', '-u', '/run/hal9000/service/redis'])
  },

  'parent restarted': async ({ instance }) => void (await instance.hal(['restart'], PATIENT)),

  'parent killed': async ({ instance }) => {
    await instance.docker(['kill', instance.parent])
    await instance.hal(['up'], PATIENT)
  },

  'parent removed': async ({ instance }) => {
    await instance.docker(['rm', '-f', instance.parent])
    await instance.hal(['up'], PATIENT)
  },

  'engine restarted': async ({ engine, instance }) => {
    await engine.end('SIGTERM')
    await engine.begin()
    await instance.hal(['up'], PATIENT)
  },

  'engine killed': async ({ engine, instance }) => {
    await engine.end('SIGKILL')
    await engine.begin()
    await instance.hal(['up'], PATIENT)
  },

  'engine stopped for a while': async ({ engine, chance }) => {
    await engine.signal('SIGSTOP')
    await pause(chance.between(1_000, 15_000))
    await engine.signal('SIGCONT')
  },
}

const PATIENT = { timeout: 180_000 }

/** A service that is down has been befallen already. */
async function toService({ instance }: Place, name: string, word: string): Promise<void> {
  const process = await service(instance, name).catch(() => undefined)
  if (process !== undefined) await signal(instance, word, process.pid).catch(() => {})
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
