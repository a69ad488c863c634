import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTerminal, untilAttached, WAYS, type Way } from '../support/attached.ts'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

let count = 0
/** A worker that runs a script, under a name of its own. */
async function start(script: string): Promise<{ id: string; name: string }> {
  count += 1
  return (await instance.spawn(['-n', `w${count}`, project, '--', 'bash', '-c', script])).worker
}
const runs = async (name: string) => (await instance.list()).some((one) => one.name === name && one.state === 'running')
const attach = (way: Way, name: string) => openTerminal(instance, way, ['attach', name])

describe.each(WAYS)('%s attach', (way) => {
  test('shows the output, passes on what is typed, and Ctrl-b d leaves the worker running', async () => {
    const worker = await start('echo before; while read -r line; do echo "heard <$line>"; done')
    await using terminal = await attach(way, worker.name)
    await terminal.shows('before')
    await terminal.type(`a 'word'; and "more"`)
    await terminal.shows(`heard <a 'word'; and "more">`)
    await untilAttached(instance, worker, 1)
    await terminal.press('C-b', 'd')
    expect(await terminal.ended()).toBe(0)
    expect(await runs(worker.name)).toBe(true)
    await untilAttached(instance, worker, 0)
    await terminal.shows(
      `Detached. Worker "${worker.name}" keeps running. Attach with: coordinator attach ${worker.name}`,
    )
  })

  test('follows the size of the terminal', async () => {
    const worker = await start('trap "stty size" WINCH; while :; do sleep 0.1; done')
    await using terminal = await attach(way, worker.name)
    await untilAttached(instance, worker, 1)
    for (const [columns, rows] of [
      [100, 30],
      [61, 17],
    ] as const) {
      await terminal.resize(columns, rows)
      // A row is the status line's.
      expect(await terminal.shows(`${rows - 1} ${columns}`)).toContain(`[${worker.name}]`)
    }
  })

  test('two at once see the same; one leaves, the other stays', async () => {
    const worker = await start('while read -r line; do echo "heard <$line>"; done')
    await using first = await attach(way, worker.name)
    await using second = await attach(way, worker.name)
    await untilAttached(instance, worker, 2)
    await first.type('from the first')
    await second.shows('heard <from the first>')
    await first.press('C-b', 'd')
    expect(await first.ended()).toBe(0)
    await untilAttached(instance, worker, 1)
    await second.type('from the second')
    await second.shows('heard <from the second>')
  })

  test('ends with the command, with its exit code', async () => {
    const worker = await start('echo ready; read -r line; exit 42')
    await using terminal = await attach(way, worker.name)
    await terminal.shows('ready')
    await terminal.type('now')
    expect(await terminal.ended()).toBe(42)
    expect(await instance.ended(worker.name)).toMatchObject({ exit: { reason: 'exited', exitCode: 42 } })
    expect(await instance.workerContainers()).not.toContainEqual(expect.stringMatching(new RegExp(`-${worker.name}$`)))
  })

  test('says how the worker ended when somebody stops it', async () => {
    const worker = await start('echo ready; sleep 100')
    await using terminal = await attach(way, worker.name)
    await terminal.shows('ready')
    await instance.exec(['coordinator', 'stop', worker.name])
    expect(await terminal.ended()).toBe(143)
    await terminal.shows(/stopped/)
  })

  test('is refused where there is nothing to attach to', async () => {
    const over = await start('exit 3')
    await until('it has ended', async () => !(await runs(over.name)))
    await instance.spawn(['-n', `pipes-${count}`, '--no-tty', project, '--', 'sleep', '100'])
    for (const [name, code, screen] of [
      [over.name, 9, `Worker "${over.name}" has ended.`],
      [`pipes-${count}`, 9, `coordinator logs -f pipes-${count}`],
      ['nobody', 5, 'Next: coordinator list'],
    ] as const) {
      await using terminal = await attach(way, name)
      expect([name, await terminal.ended()]).toEqual([name, code])
      await terminal.shows(screen)
    }
  })
})

test('without a terminal attach is refused', async () => {
  const worker = await start('sleep 100')
  for (const refused of [
    await instance.hal(['attach', worker.name]),
    await instance.exec(['coordinator', 'attach', worker.name]),
  ]) {
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`logs -f ${worker.name}`) })
  }
})
