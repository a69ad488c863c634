import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTerminal, untilAttached, WAYS } from '../support/attached.ts'
import { Instance } from '../support/instance.ts'
import type { TerminalOptions } from '../support/terminal.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

/** Counts what it is sent, and leaves at the second Ctrl-C. */
const HEEDFUL = `trap 'n=1$n; echo caught $n' INT; echo ready; until [ "$n" = 11 ]; do sleep 100; done; exit 9`

describe.each(WAYS)('%s spawn on a terminal', (way) => {
  const spawn = (name: string, script: string, size?: TerminalOptions) =>
    openTerminal(instance, way, ['spawn', '-n', name, project, '--', 'bash', '-c', script], size)

  test('attaches, and exits with the exit code of the command', async () => {
    await using terminal = await spawn('asks', 'echo ready; read -r line; echo "heard $line"; read -r line; exit 17')
    await terminal.shows('ready')
    expect(await instance.list()).toMatchObject([{ name: 'asks', attached: 1 }])
    await terminal.type('you')
    await terminal.shows('heard you')
    await terminal.type('end')
    expect(await terminal.ended()).toBe(17)
    expect(await instance.list()).toEqual([])
  })

  test('begins in the width of the terminal', async () => {
    await using terminal = await spawn('sized', 'stty size; read -r line', { columns: 133, rows: 40 })
    await terminal.shows(/^\d\d 133$/m)
    await terminal.press('Enter')
    expect(await terminal.ended()).toBe(0)
  })

  // The command ends before, while and after the terminal is attached.
  test.each([0, 0.02, 0.05, 0.1, 0.2, 0.4])(
    'a command that is over after %s s ends it with its code',
    async (seconds) => {
      await using terminal = await spawn('quick', `sleep ${seconds}; echo so quick; exit 5`)
      expect(await terminal.ended()).toBe(5)
      expect(await instance.exec(['coordinator', 'logs', 'quick'])).toMatchObject({ code: 0, stdout: 'so quick\n' })
    },
  )

  test('Ctrl-C goes to the command, Ctrl-b d leaves it running', async () => {
    await using terminal = await spawn('heeds', HEEDFUL)
    await terminal.shows('ready')
    await terminal.press('C-c')
    await terminal.shows('caught 1')
    expect(await instance.list()).toMatchObject([{ name: 'heeds', state: 'running' }])
    await terminal.press('C-b', 'd')
    expect(await terminal.ended()).toBe(0)
    const [worker] = await instance.list()
    expect(worker).toMatchObject({ name: 'heeds', state: 'running' })
    await untilAttached(instance, worker ?? { id: '' }, 0)
    await using again = await openTerminal(instance, way, ['attach', 'heeds'])
    await untilAttached(instance, worker ?? { id: '' }, 1)
    await again.press('C-c')
    expect(await again.ended()).toBe(9)
  })

  test('what cannot be executed ends with 127 and says so', async () => {
    await using terminal = await openTerminal(instance, way, ['spawn', project, '--', 'no-such-command'])
    expect(await terminal.ended()).toBe(127)
    await terminal.shows('no-such-command')
  })
})
