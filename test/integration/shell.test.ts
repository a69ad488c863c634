import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Worker } from '../../coordinator/contract/worker.ts'
import { openTerminal, untilAttached, WAYS } from '../support/attached.ts'
import { Instance, OWNER } from '../support/instance.ts'
import { run, until } from '../support/run.ts'

let instance: Instance
let project: string
let worker: Worker

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  const env = ['-e', 'PATH=/opt/agent/bin:/usr/bin:/bin', '-e', 'MINE=1']
  worker = (await instance.spawn(['-n', 'w', ...env, project, '--', 'sleep', '1000'])).worker
})
afterAll(() => instance.down())

/** Milliseconds until what a dead client began is gone: the launcher sees to it, raw docker exec has to be found out. */
const GONE_WITHIN = { './hal9000': 3_000, 'docker exec -it': 15_000 }

const running = async (what: string): Promise<number> =>
  (await run('docker', ['top', worker.id, '-eo', 'pid,args'])).stdout.split('\n').filter((line) => line.includes(what))
    .length

describe.each(WAYS)('%s', (way) => {
  test('shell is a login shell of the same user in the project, and keeps the PATH', async () => {
    await using terminal = await openTerminal(instance, way, ['shell', 'w'])
    await terminal.type('shopt -q login_shell && echo "login $(id -u) $PWD $MINE $PATH"')
    await terminal.shows(`login ${OWNER} ${project} 1 /opt/agent/bin:/usr/bin:/bin`)
    // Beside the command's session, not in it.
    await terminal.type('echo "tmux <${TMUX-}>"')
    await terminal.shows('tmux <>')
    await untilAttached(instance, worker, 0)
    await terminal.type('exit 5')
    expect(await terminal.ended()).toBe(5)
  })

  test('shell and exec have a terminal of the right kind, and follow its size', async () => {
    const script = 'trap "stty size" WINCH; tty; echo "$TERM $(tput colors) é"; while :; do sleep 0.1; done'
    await using terminal = await openTerminal(instance, way, ['exec', 'w', '--', 'bash', '-c', script])
    await terminal.shows('/dev/pts/')
    await terminal.shows(way === './hal9000' ? /(screen|tmux)\S* \d+ é/ : /xterm 8 é/)
    await terminal.resize(101, 31)
    await terminal.shows('31 101')
    await terminal.press('C-c')
    expect(await terminal.ended()).toBe(130)
  })

  test('a closed terminal ends the shell, and what runs in its foreground', async () => {
    const terminal = await openTerminal(instance, way, ['shell', 'w'])
    await terminal.type('sleep 4242')
    await until('it runs', async () => (await running('sleep 4242')) === 1)
    await terminal.close()
    await until('it is gone', async () => (await running('sleep 4242')) === 0, GONE_WITHIN[way])
    await until('the shell is gone', async () => (await running('bash -l')) === 0, GONE_WITHIN[way])
    expect(await instance.list()).toMatchObject([{ name: 'w', state: 'running' }])
  })

  test('--detach-keys leave the session', async () => {
    await using terminal = await openTerminal(instance, way, ['attach', '--detach-keys', 'ctrl-p,q', 'w'])
    await untilAttached(instance, worker, 1)
    await terminal.press('C-p', 'x', 'C-p', 'q')
    expect(await terminal.ended()).toBe(0)
    await terminal.shows('Detached. Worker "w" keeps running.')
  })

  test('--detach-keys leave a spawn in the foreground', async () => {
    const words = [
      'spawn',
      '--detach-keys',
      'ctrl-]',
      '-n',
      'front',
      project,
      '--',
      'sh',
      '-c',
      'echo here; sleep 1000',
    ]
    await using terminal = await openTerminal(instance, way, words)
    await terminal.shows('here')
    await terminal.press('C-]')
    expect(await terminal.ended()).toBe(0)
    await terminal.shows('Attach with: coordinator attach front')
    await instance.exec(['coordinator', 'stop', '-t', '0', 'front'])
  })
})

test('without a terminal a shell is refused, and the next step does what was meant', async () => {
  const refused = await instance.exec(['coordinator', 'shell', 'w'])
  expect(refused).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('Next: coordinator exec w -- sh -l'),
  })
  expect(await instance.exec(['coordinator', 'exec', 'w', '--', 'sh', '-l'], { input: 'pwd\n' })).toMatchObject({
    code: 0,
    stdout: `${project}\n`,
  })
})

test('keys that are none are refused', async () => {
  expect(await instance.exec(['coordinator', 'attach', '--detach-keys', 'ctrl-', 'w'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('such as ctrl-p,ctrl-q'),
  })
})

test("the session's command sees a terminal of 24-bit colour and UTF-8", async () => {
  const script = 'echo "$TERM $COLORTERM $(tput colors) $LANG"; stty size'
  const { worker: seen } = await instance.spawn(['-n', 'colours', project, '--', 'bash', '-c', script])
  await instance.ended(seen.name)
  const { stdout } = await instance.exec(['coordinator', 'logs', seen.name])
  expect(stdout.replaceAll('\r', '')).toBe('tmux-256color truecolor 256 C.UTF-8\n24 80\n')
})
