import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTerminal, untilAttached, WAYS } from '../support/attached.ts'
import { Instance } from '../support/instance.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

describe.each(WAYS)('%s spawn on a terminal', (way) => {
  const spawn = (name: string, script: string) =>
    openTerminal(instance, way, ['spawn', '-n', name, project, '--', 'bash', '-c', script])

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

  test('has the size of the terminal from its first line on', async () => {
    await using terminal = await spawn('sized', 'stty size; read -r line')
    await terminal.shows('23 80')
    await terminal.press('Enter')
    expect(await terminal.ended()).toBe(0)
  })

  test('a command that is over at once still shows what it said, and its code', async () => {
    await using terminal = await spawn('quick', 'echo so quick; exit 5')
    expect(await terminal.ended()).toBe(5)
    await terminal.shows('so quick')
  })

  test('Ctrl-C goes to the command, Ctrl-b d leaves it running', async () => {
    await using terminal = await spawn(
      'heeds',
      'trap "echo caught; n=1\$n" INT; echo ready; while :; do sleep 100; [ "$n" != 11 ] || exit 9; done',
    )
    await terminal.shows('ready')
    await terminal.press('C-c')
    await terminal.shows('caught')
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
