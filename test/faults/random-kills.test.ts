import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilHealthy } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { service, signal } from '../support/processes.ts'
import { until } from '../support/run.ts'

const LONG = Boolean(process.env['HAL9000_LONG'])
const WORKERS = LONG ? 500 : 30
const KILLS = LONG ? 200 : 8
/** Commands at once, as a person and some programs make them. */
const AT_ONCE = 6

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

test(
  `${KILLS} random kill -9 of the coordinator in a stream of ${WORKERS} spawns and stops: the ledger outside equals what happened`,
  async () => {
    const waiting = Array.from({ length: WORKERS }, (_, index) => index)
    const wrong: string[] = []
    let kills = 0
    const streams = Array.from({ length: AT_ONCE }, async () => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) wrong.push(...(await one(index)))
    })
    const killer = (async () => {
      const revival = await reviveOnce()
      kills += 1
      while (waiting.length > 0 && kills < KILLS) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 1.5 * revival))
        const coordinator = await service(instance, 'coordinator')
        if (coordinator === undefined) continue
        await signal(instance, 'KILL', coordinator.pid)
        kills += 1
      }
    })()
    await Promise.all([...streams, killer])
    const since = Date.now()
    wrong.push(...(await leftAfter(15_000)))
    process.stderr.write(
      `${kills} kills, ${WORKERS} workers, converged ${Date.now() - since} ms after the last answer\n`,
    )
    expect(wrong).toEqual([])
    expect(kills).toBeGreaterThan(KILLS / 4)
    const records = (await instance.list('-a')).map(({ name, state, exitCode }) => `${name} ${state} ${exitCode}`)
    const expected = Array.from({ length: WORKERS }, (_, index) => `w${index} ended ${index % 2 ? 143 : index % 200}`)
    expect(records.sort()).toEqual(expected.sort())
    const ledger = (await readFile(join(project, 'ledger'), 'utf8')).trim().split('\n')
    expect(ledger.sort()).toEqual(Array.from({ length: WORKERS }, (_, index) => `w${index}`).sort())
  },
  3 * 3_600_000,
)

/** How long the next coordinator takes to be ready under this load. Milliseconds. */
async function reviveOnce(): Promise<number> {
  const coordinator = await untilHealthy(instance)
  await signal(instance, 'KILL', coordinator.pid)
  const since = Date.now()
  await until('another one is the owner', async () => (await untilHealthy(instance)).pid !== coordinator.pid)
  return Date.now() - since
}

/** Waits until no worker's container is left; what is known of those that are still there after `patience` ms. */
async function leftAfter(patience: number): Promise<string[]> {
  const names = async () => await instance.workerContainers()
  const gone = until('no container is left', async () => (await names()).length === 0, patience)
  if (await gone.catch(() => false)) return []
  const told = (name: string) =>
    Promise.all([
      instance.ask('ps', '-a', '--no-trunc', '--filter', `name=${name}`, '--format', '{{json .}}'),
      instance.ask('inspect', '--format', '{{json .State}} {{json .Config.Labels}}', name),
      instance.docker(['logs', '--tail', '20', name]).then(({ stdout, stderr }) => stdout + stderr),
    ])
  const events = await instance.events()
  const left = await Promise.all((await names()).map(async (name) => ({ name, told: await told(name) })))
  return left.map(({ name, told }) => {
    const worker = name.slice(name.lastIndexOf('-') + 1)
    const own = events.filter((event) => event.worker === worker).map((event) => JSON.stringify(event))
    return [`left: ${name}`, ...told, ...own].join('\n')
  })
}

/** Every second one is stopped; the others end by themselves, in the foreground, with a code and output of their own. */
async function one(index: number): Promise<string[]> {
  const name = `w${index}`
  const spawn = (options: string[], end: string) =>
    instance.exec(['spawn', ...options, '-n', name, project, '--', 'sh', '-c', `echo ${name} | tee -a ledger; ${end}`])
  if (index % 2 === 0) {
    const ran = await spawn([], `exit ${index % 200}`)
    const right = ran.code === index % 200 && ran.stdout === `${name}\n`
    return right ? [] : [`${name} in the foreground: ${ran.code} ${ran.stdout} ${ran.stderr}`]
  }
  const spawned = await spawn(['-d'], 'sleep 1000')
  const stopped = await instance.exec(['coordinator', 'stop', name])
  const right = spawned.code === 0 && spawned.stdout === `${name}\n` && stopped.code === 0
  return right ? [] : [`${name}: ${spawned.code} ${spawned.stderr}, ${stopped.code} ${stopped.stderr}`]
}
