import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTerminal, untilAttached, WAYS } from '../support/attached.ts'
import { Instance, LAUNCHER } from '../support/instance.ts'
import { processes } from '../support/processes.ts'
import { until } from '../support/run.ts'
import { Terminal } from '../support/terminal.ts'

let instance: Instance
let worker: { id: string }

beforeAll(async () => {
  instance = await Instance.up()
  const script = ['sh', '-c', 'echo ready; sleep 1000']
  worker = (await instance.spawn(['-n', 'w', await instance.project('work'), '--', ...script])).worker
})
afterAll(() => instance.down())

/** Milliseconds. The launcher sees to it itself; behind a killed docker exec the terminal's silence has to be noticed. */
const LEFT_WITHIN = { './hal9000': 5_000, 'docker exec -it': 15_000 }

const sent = (signal: NodeJS.Signals) => async (terminal: Terminal) => void process.kill(await terminal.pid(), signal)
/** What may happen to a client; all of it at once, because noticing takes its time. */
const SIGNALS = ['HUP', 'INT', 'TERM', 'QUIT', 'KILL'] as const
const ENDINGS = [...SIGNALS.map((name) => sent(`SIG${name}`)), (terminal: Terminal) => terminal.close()]

test.each(WAYS)(
  'clients of %s attach that are killed, or whose terminal is closed, leave nothing behind',
  async (way) => {
    await using all = new AsyncDisposableStack()
    const terminals = await Promise.all(
      ENDINGS.map(async () => all.use(await openTerminal(instance, way, ['attach', 'w']))),
    )
    await Promise.all(terminals.map((terminal) => terminal.shows('ready')))
    await untilAttached(instance, worker, ENDINGS.length)
    await Promise.all(terminals.map((terminal, turn) => (ENDINGS[turn] ?? sent('SIGKILL'))(terminal)))
    await untilAttached(instance, worker, 0, LEFT_WITHIN[way])
    expect(await instance.list()).toMatchObject([{ name: 'w', state: 'running' }])
    const clients = async () =>
      (await processes(instance)).filter(({ command }) => command.includes('coordinator attach'))
    await until('no command is left in the parent', async () => (await clients()).length === 0, 5_000)
  },
)

test.each(SIGNALS)('a launcher that is ended by %s gives its terminal back as it was', async (name) => {
  // Who is killed cannot clean up: the guard beside it does, a moment later.
  const script =
    'stty -g >before; "$0" attach w; sleep 1.5; stty -g >after; cmp before after && echo the same; read -r _'
  await using terminal = await Terminal.open(['sh', '-c', script, LAUNCHER], { env: instance.env, cwd: instance.root })
  await terminal.shows('ready')
  await untilAttached(instance, worker, 1)
  const shell = await terminal.pid()
  const [launcher] = (await readFile(`/proc/${shell}/task/${shell}/children`, 'utf8')).split(' ')
  process.kill(Number(launcher), `SIG${name}`)
  await terminal.shows('the same')
  expect(await untilAttached(instance, worker, 0)).toBeLessThan(LEFT_WITHIN['./hal9000'])
})
