import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { WorkerDetail } from '../../coordinator/contract/worker.ts'
import { openTerminal, untilAttached } from '../support/attached.ts'
import { Instance, OWNER } from '../support/instance.ts'
import { type Output, succeed, until } from '../support/run.ts'

const MODES = [
  ['in a session', []],
  ['on pipes', ['--no-tty']],
] as const

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
})
beforeEach(async () => {
  project = await instance.project('work')
})
afterEach(async () => {
  await instance.stopAll()
  await rm(project, { recursive: true })
})
afterAll(() => instance.down())

/** A worker `w` whose command has made a file "begun". */
async function begun(script: string, ...options: string[]): Promise<{ id: string; request: string }> {
  const { worker } = await instance.spawn(['-n', 'w', ...options, project, '--', 'bash', '-c', script])
  await until('it has begun', async () => existsSync(join(project, 'begun')))
  return worker
}

/** `coordinator stop w` with half a minute of grace: what needs it is killed late enough to be seen. */
async function stopped(request: string): Promise<[Output, WorkerDetail]> {
  const stop = await instance.exec(['coordinator', 'stop', '--time', '30', 'w'])
  expect([stop.code, stop.stdout, await instance.workerContainers()]).toEqual([0, 'w\n', []])
  return [stop, await instance.ended(request)]
}

/** At once is far from the grace, also on a machine that has other things to do. Milliseconds. */
const AT_ONCE = 8_000

describe.each(MODES)('stop, %s', (_mode, options) => {
  test('reaches every process of the command’s group, and waits for those that the command waits for', async () => {
    const child = 'trap "echo $0 >>told; exit" TERM; echo up >>$0; while :; do sleep 0.1; done'
    const script = `trap 'wait; exit 7' TERM; for n in 1 2 3; do sh -c '${child}' child-$n & done
      until [ -e child-1 ] && [ -e child-2 ] && [ -e child-3 ]; do sleep 0.1; done; touch begun; wait; wait`
    const { request } = await begun(script, ...options)
    const [stop, { exit }] = await stopped(request)
    expect(exit).toMatchObject({ reason: 'stopped', exitCode: 7, signal: null })
    expect((await readFile(join(project, 'told'), 'utf8')).split('\n').sort()).toEqual([
      '',
      'child-1',
      'child-2',
      'child-3',
    ])
    expect([stop.stderr, stop.ms < AT_ONCE]).toEqual(['', true])
  })

  test('ends a deep tree of processes that does nothing about it', async () => {
    const script = 'sh -c "sh -c \\"sleep 1000 & sleep 1000 & wait\\" & sleep 1000 & wait" & touch begun; wait'
    const { request } = await begun(script, ...options)
    const [stop, { exit }] = await stopped(request)
    expect(exit).toMatchObject({ reason: 'stopped', exitCode: 143, signal: 'TERM' })
    expect([stop.stderr, stop.ms < AT_ONCE]).toEqual(['', true])
  })

  test('is not held up by what has left the group, or ignores TERM behind the command’s back', async () => {
    const script = `setsid sleep 1000 & (trap "" TERM HUP; sleep 1000) & nohup sleep 1000 & disown -a
      touch begun; exec sleep 1000`
    const { request } = await begun(script, ...options)
    const [stop, { exit }] = await stopped(request)
    expect(exit).toMatchObject({ reason: 'stopped', exitCode: 143, signal: 'TERM' })
    expect([stop.stderr, stop.ms < AT_ONCE]).toEqual(['', true])
  })

  test('an end by itself takes what runs in the background with it, and the container', async () => {
    const script = 'setsid sleep 1000 & (trap "" TERM HUP; sleep 1000) & sleep 1000 & touch begun; exit 4'
    const { request } = await begun(script, ...options)
    expect(await instance.ended(request)).toMatchObject({ exit: { reason: 'exited', exitCode: 4 } })
    await until('the container is gone', async () => (await instance.workerContainers()).length === 0, AT_ONCE)
  })
})

test.each([
  ['at its prompt', 'touch begun'],
  ['with a command in the foreground', 'touch begun; sleep 1000'],
  ['with one that ignores TERM in the foreground', 'touch begun; sh -c \'trap "" TERM; sleep 1000\''],
  ['with jobs, of which one is stopped', 'sleep 1000 & touch begun; sleep 1000 & kill -STOP $!; fg'],
])('an interactive bash is stopped at once, %s', async (_how, line) => {
  const { worker } = await instance.spawn(['-n', 'w', project, '--', 'bash'])
  await using terminal = await openTerminal(instance, './hal9000', ['attach', 'w'])
  await terminal.shows('$')
  await terminal.type(line)
  await until('it has begun', async () => existsSync(join(project, 'begun')))
  const [stop, { exit }] = await stopped(worker.request)
  expect(exit).toMatchObject({ reason: 'stopped', exitCode: 129, signal: 'HUP' })
  expect([stop.stderr, stop.ms < AT_ONCE]).toEqual(['', true])
  expect(await terminal.ended()).toBe(129)
})

describe('windows and sessions that a person opens in a worker', () => {
  const SCRIPT = 'touch begun; until [ -e go ]; do sleep 0.1; done; echo over; exit 5'

  test('work as the command does: same user, folder and environment', async () => {
    await begun(SCRIPT, '-e', 'GIVEN=words of the person')
    await using terminal = await openTerminal(instance, './hal9000', ['attach', 'w'])
    await terminal.shows('[w]')
    await terminal.press('C-b', 'c')
    await terminal.shows('1:bash')
    await terminal.type('echo "$(id -u) $PWD $GIVEN" >window')
    await until('the window has written', async () => existsSync(join(project, 'window')))
    await terminal.type('tmux new-session -d -s other \'echo "$(id -u) $PWD $GIVEN" >session; sleep 1000\'')
    await until('the session has written', async () => existsSync(join(project, 'session')))
    const same = `${OWNER} ${project} words of the person\n`
    for (const file of ['window', 'session']) {
      const text = async (): Promise<string> => await readFile(join(project, file), 'utf8')
      await until('it is written', async () => (await text()) !== '')
      expect([file, await text()]).toEqual([file, same])
    }
  })

  test.each([
    ['by itself', async () => await writeFile(join(project, 'go'), ''), { reason: 'exited', exitCode: 5 }],
    [
      'by a stop',
      async () => void (await instance.exec(['coordinator', 'stop', 'w'])),
      { reason: 'stopped', exitCode: 143 },
    ],
  ])('end with the command, %s, and do not change its end', async (_how, end, exit) => {
    const { id, request } = await begun(SCRIPT)
    await using terminal = await openTerminal(instance, './hal9000', ['attach', 'w'])
    await terminal.shows('[w]')
    // Whoever is attached looks at another window, and a session beside goes on by itself.
    await terminal.press('C-b', 'c')
    await terminal.shows('1:bash')
    await terminal.type('trap "" TERM HUP; tmux new-session -d -s other "sleep 1000"; touch opened')
    await until('both are there', async () => existsSync(join(project, 'opened')))
    await end()
    expect(await instance.ended(request)).toMatchObject({ exit })
    expect(await terminal.ended()).toBe(exit.exitCode)
    await until('the container is gone', async () => (await instance.workerContainers()).length === 0, AT_ONCE)
    expect(await succeed('docker', ['ps', '-aq', '--filter', `id=${id}`])).toBe('')
  })

  test('may be closed, and the command goes on; also where somebody closes the command’s own', async () => {
    const { request, id } = await begun(SCRIPT)
    const tmux = (...words: string[]) =>
      succeed('docker', ['exec', '-u', `${OWNER}:${OWNER}`, id, 'tmux', '-S', '/run/hal9000/user/tmux', ...words])
    await tmux('new-window', '-d', '-t', 'main', 'sleep 1000')
    await tmux('new-session', '-d', '-s', 'other', 'sleep 1000')
    await tmux('kill-window', '-t', 'main:1')
    await tmux('kill-session', '-t', 'other')
    expect(await instance.list()).toMatchObject([{ name: 'w', state: 'running' }])
    await untilAttached(instance, { id }, 0)
    await tmux('new-window', '-d', '-t', 'main', 'sleep 1000')
    await tmux('kill-window', '-t', 'main:0')
    // The command has lost its terminal.
    expect(await instance.ended(request)).toMatchObject({ exit: { reason: 'exited', exitCode: 129, signal: 'HUP' } })
    await until('the container is gone', async () => (await instance.workerContainers()).length === 0, AT_ONCE)
  })
})
