import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { processes, service, signal } from '../support/processes.ts'
import { until } from '../support/run.ts'
import { Terminal } from '../support/terminal.ts'

let instance: Instance
let project: string
let terminal: Terminal

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  terminal = await Terminal.open(['docker', 'exec', '-it', instance.parent, 'tmux', '-L', 'hal9000', 'attach'])
})
afterAll(async () => {
  await terminal?.close()
  await instance?.down()
})

/** The pane of events: what stands left of the line that divides the lower half. */
const events = (rows: string[]): string[] =>
  rows.slice(rows.findIndex((row) => row.includes('┬')) + 1, -1).map((row) => (row.split('│')[0] ?? '').trimEnd())
const panes = async (): Promise<string[]> => {
  const listed = await instance.exec(['tmux', '-L', 'hal9000', 'list-panes', '-F', '#{pane_dead} #{pane_pid}'])
  return listed.stdout.trim().split('\n')
}
const press = async (key: string): Promise<void> => terminal.press('C-b', key)

test('it is there from the start: a table, the events and a shell', async () => {
  await terminal.shows(new RegExp(`^${instance.name} +ready +no workers +\\d\\d:\\d\\d:\\d\\d UTC`, 'm'))
  expect(await panes()).toHaveLength(3)
  await terminal.shows(/│.*root@.*# *$/m)
  await terminal.shows(/coordinator-started/)
})

test('a worker appears in the table and in the events, and leaves the table when it ends', async () => {
  const { worker } = await instance.spawn(['-n', 'seen', project, '--', 'sleep', '100'])
  await terminal.shows(/^seen +running/m, 5000)
  await terminal.shows(/^\d\d:\d\d:\d\d worker-ready +seen/m, 5000)
  await instance.exec(['coordinator', 'stop', worker.name])
  await terminal.shows(/no workers/, 5000)
  expect(await terminal.shows(/^\d\d:\d\d:\d\d worker-ended +seen/m, 5000)).not.toMatch(/^seen +running/m)
})

test('w asks for the project and starts a worker there', async () => {
  await press('w')
  await terminal.shows('Project on the host')
  await terminal.type(project)
  await terminal.shows('any key closes this')
  expect(await instance.list()).toMatchObject([{ project, state: 'running', command: expect.any(Array) }])
  await terminal.press('x')
})

test('l and s show the workers and the status, over all, until a key is pressed', async () => {
  for (const [key, title, content] of [
    ['l', 'workers', /running +…?.*work/],
    ['s', 'status', /│state +ready/],
  ] as const) {
    await press(key)
    await terminal.shows(new RegExp(`┌─ ${title} ─`))
    await terminal.shows('any key closes this')
    expect((await terminal.rows()).join('\n')).toMatch(content)
    await terminal.press('x')
    await until('the popup is closed', async () => !(await terminal.rows()).some((row) => row.includes(`┌─ ${title}`)))
  }
})

test('at 80 by 24 nothing wraps and nothing is cut off the screen, at any other size either', async () => {
  for (const [columns, rows] of [
    [120, 40],
    [80, 24],
  ] as const) {
    await terminal.resize(columns, rows)
    // What is there is drawn anew a moment after the resize; until then tmux folds it.
    const whole = (line: string): boolean => line === '' || /^\d\d:\d\d:\d\d [a-z]+-[a-z]+/.test(line)
    const seen = await until('the events are drawn anew, a line each', async () => {
      const now = await terminal.rows()
      const complete = now.length === rows && now.at(-1)?.endsWith('d detach')
      return complete && events(now).filter(Boolean).length > 2 && events(now).every(whole) && now
    })
    expect(Math.max(...seen.map((row) => row.length))).toBeLessThanOrEqual(columns)
    expect(seen[0]).toMatch(/UTC$/)
  }
})

test('S stops all, and only after a yes', async () => {
  await press('S')
  await terminal.shows('Stop all workers? (y/n)')
  await terminal.press('n')
  await until('the question is gone', async () => (await terminal.rows()).at(-1)?.endsWith('d detach'))
  expect(await instance.list()).toMatchObject([{ state: 'running' }])
  await press('S')
  await terminal.shows('Stop all workers? (y/n)')
  await terminal.press('y')
  await terminal.shows('any key closes this')
  expect(await instance.list()).toEqual([])
  await terminal.press('x')
})

test('it survives the coordinator and its own panes', async () => {
  await signal(instance, 'KILL', (await service(instance, 'coordinator'))?.pid ?? 0)
  await instance.spawn(['-n', 'after', project, '--', 'sleep', '100'])
  await terminal.shows(/^after +running/m)
  await terminal.shows(/worker-ready +after/)
  const before = await panes()
  for (const pane of before) await signal(instance, 'KILL', Number(pane.split(' ')[1]))
  expect(before).toHaveLength(3)
  await until('three new panes run', async () => {
    const now = await panes()
    return now.length === 3 && now.every((pane) => pane.startsWith('0 ') && !before.includes(pane))
  })
  await terminal.shows(/^after +running/m)
  await terminal.shows(/worker-ready +after/)
  const readers = async () =>
    (await processes(instance)).filter(({ command }) => command.includes('coordinator events'))
  await until('one command reads the events', async () => (await readers()).length === 1)
})

afterEach(async () => {
  // Each test begins without a popup.
  await until('no popup is open', async () => !(await terminal.rows()).some((row) => row.includes('┌─')))
})
