import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { succeed } from '../support/run.ts'
import { shown, traces } from '../support/traces.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

test('down leaves another instance as it is', async () => {
  const other = await Instance.planned()
  expect(await traces(other.name)).toEqual([])
  expect(await other.hal(['up', '--projects', other.root])).toMatchObject({ code: 0 })
  try {
    const { worker } = await instance.spawn(['-n', 'same', project, '--', 'sleep', '100'])
    const theirs = await other.spawn(['-n', 'same', await other.project('work'), '--', 'sleep', '100'])
    expect([await instance.list(), await other.list()]).toMatchObject([[{ id: worker.id }], [{ id: theirs.worker.id }]])
  } finally {
    await other.down()
  }
  expect(await traces(other.name)).toEqual([])
  expect(await instance.list()).toMatchObject([{ name: 'same', state: 'running' }])
  expect(await instance.hal(['status'])).toMatchObject({ code: 0 })
})

test('off a terminal it refuses while a worker runs, and touches nothing', async () => {
  const before = await traces(instance.name)
  for (const words of [['down'], ['down', '--volumes']]) {
    const refused = await instance.hal(words)
    expect(await traces(instance.name)).toEqual(before)
    expect(refused).toMatchObject({
      code: 9,
      stdout: '',
      stderr: expect.stringMatching(/still running.*\nNext: .*--stop-workers.*--keep/),
    })
  }
  expect(await instance.list()).toMatchObject([{ name: 'same', state: 'running' }])
})

test('--keep removes the parent alone; the workers keep their network, and the next up finds them', async () => {
  const [before] = await instance.list()
  expect(await instance.hal(['down', '--keep'])).toMatchObject({ code: 0, stdout: '' })
  expect(await instance.containers()).toEqual(
    expect.arrayContaining([expect.stringMatching(/-same$/), `${instance.name}-net`]),
  )
  expect(await instance.containers()).toHaveLength(2)
  expect(await shown(before?.id ?? '', '{{.State.Status}}')).toBe('running')
  expect(await succeed('docker', ['exec', before?.id ?? '', 'ls', '/sys/class/net'])).toContain('eth0')
  expect(await instance.hal(['up'])).toMatchObject({ code: 0 })
  expect(await instance.list()).toMatchObject([{ name: 'same', id: before?.id, state: 'running' }])
})

test('--stop-workers stops them; what is known of them outlives the parent', async () => {
  expect(await instance.hal(['down', '--stop-workers'])).toMatchObject({ code: 0, stdout: '' })
  expect(await traces(instance.name)).toEqual([`volume ${instance.name}-state`])
  expect(await instance.hal(['up'])).toMatchObject({ code: 0 })
  expect(await instance.list('-a')).toMatchObject([{ name: 'same', state: 'ended', reason: 'stopped' }])
})

test('a container that was kept outlives down, but not down --volumes', async () => {
  await instance.exec(['spawn', '--no-rm', '-n', 'kept', project, '--', 'true'])
  expect(await instance.hal(['down'])).toMatchObject({ code: 0 })
  expect(await traces(instance.name)).toContainEqual(expect.stringMatching(/^container .*-kept$/))
  expect(await instance.hal(['up'])).toMatchObject({ code: 0 })
  expect(await instance.list('-a', '--filter', 'name=kept')).toMatchObject([{ state: 'ended', exitCode: 0 }])
})

test('--volumes leaves nothing; a second down, where there is nothing, is silent success', async () => {
  expect(await instance.hal(['down', '--volumes'])).toMatchObject({ code: 0, stdout: '' })
  expect(await traces(instance.name)).toEqual([])
  expect(await instance.hal(['down', '--volumes'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
})
