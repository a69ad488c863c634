import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTerminal, untilAttached, WAYS } from '../support/attached.ts'
import { Instance } from '../support/instance.ts'
import { processes } from '../support/processes.ts'
import { until } from '../support/run.ts'
import { Terminal } from '../support/terminal.ts'

let instance: Instance
let worker: { id: string }

beforeAll(async () => {
  instance = await Instance.up()
  const spawned = await instance.spawn([
    '-n',
    'w',
    await instance.project('work'),
    '--',
    'sh',
    '-c',
    'echo ready; sleep 1000',
  ])
  worker = spawned.worker
})
afterAll(() => instance.down())

/** Milliseconds. The launcher sees to it itself; behind a killed docker exec the terminal's silence has to be noticed. */
const LEFT_WITHIN = { './hal9000': 5_000, 'docker exec -it': 15_000 }

const endings: [string, (terminal: Terminal) => Promise<unknown>][] = [
  ['its client gets TERM', async (terminal) => process.kill(await terminal.pid(), 'SIGTERM')],
  ['its client gets KILL', async (terminal) => process.kill(await terminal.pid(), 'SIGKILL')],
  ['its client gets HUP', async (terminal) => process.kill(await terminal.pid(), 'SIGHUP')],
  ['its terminal is closed', (terminal) => terminal.close()],
]

describe.each(WAYS)('an attachment by %s', (way) => {
  test.each(endings)('leaves nothing behind when %s, and the worker goes on', async (_what, end) => {
    await using terminal = await openTerminal(instance, way, ['attach', 'w'])
    await terminal.shows('ready')
    await untilAttached(instance, worker, 1)
    await end(terminal)
    await untilAttached(instance, worker, 0, LEFT_WITHIN[way])
    expect(await instance.list()).toMatchObject([{ name: 'w', state: 'running' }])
    const clients = async () =>
      (await processes(instance)).filter(({ command }) => command.includes('coordinator attach'))
    await until('no command is left in the parent', async () => (await clients()).length === 0, 5_000)
  })
})
