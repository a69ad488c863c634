import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance, LAUNCHER } from '../support/instance.ts'
import { run, succeed } from '../support/run.ts'
import { Terminal } from '../support/terminal.ts'
import { shown } from '../support/traces.ts'

let instance: Instance
let outside: string
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
  outside = await mkdtemp(join(tmpdir(), 'hal9000-test-outside '))
})
afterAll(async () => {
  await instance.down()
  await rm(outside, { recursive: true, force: true })
})

const spawnOutside = () => instance.exec(['spawn', '--json', outside, '--', 'pwd'])

test('a project outside of the roots is refused with the command that allows it, and no worker sees a difference', async () => {
  const { worker } = await instance.spawn(['-n', 'stays', project, '--', 'sh', '-c', 'echo I am here; sleep 100'])
  const ids = () => Promise.all([instance.parent, `${instance.name}-net`].map((one) => shown(one, '{{.Id}}')))
  const start = await shown(worker.id, '{{.State.StartedAt}}')
  const [parent, holder] = await ids()

  const refused = await spawnOutside()
  expect(await instance.list()).toHaveLength(1)
  expect(refused.code).toBe(7)
  const { error } = JSON.parse(refused.stdout) as { error: { code: string; hint: string } }
  expect(error.code).toBe('refused-by-policy')
  const command = /\.\/hal9000 .*/.exec(error.hint)?.[0].replace('./hal9000', LAUNCHER) ?? ''
  expect(await run('sh', ['-c', command], { env: instance.env, cwd: instance.root })).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('replaced (the project roots are others)'),
  })

  expect(await spawnOutside()).toMatchObject({ code: 0 })
  const [parentNow, holderNow] = await ids()
  expect(parentNow).not.toBe(parent)
  expect(holderNow).toBe(holder)
  expect(await shown(worker.id, '{{.State.StartedAt}}')).toBe(start)
  expect(await instance.list()).toMatchObject([{ name: 'stays', id: worker.id, state: 'running' }])
  expect(await succeed('docker', ['exec', worker.id, 'ls', '/sys/class/net'])).toContain('eth0')
  await using terminal = await Terminal.open([LAUNCHER, 'attach', 'stays'], { env: instance.env })
  await terminal.shows('I am here')
})

test('roots are remembered by an up without --projects, and by one after down', async () => {
  expect(await instance.hal(['up'])).toMatchObject({ code: 0, stderr: '' })
  expect(await spawnOutside()).toMatchObject({ code: 0 })
  expect(await instance.hal(['down', '--stop-workers'])).toMatchObject({ code: 0 })
  expect(await instance.hal(['up'])).toMatchObject({ code: 0 })
  expect(await spawnOutside()).toMatchObject({ code: 0 })
  const { stdout } = await instance.hal(['status', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ projectRoots: [instance.root, outside].sort() })
})

test('a root that may not be one is refused, and the deployment stays as it is', async () => {
  const before = await shown(instance.parent, '{{.Id}} {{.State.StartedAt}}')
  for (const [root, code] of [
    ['/', 7],
    ['/etc', 7],
    ['/usr', 7],
    [join(outside, 'nothing'), 5],
  ] as const) {
    const refused = await instance.hal(['up', '--projects', root])
    expect([root, refused.code, refused.stderr.includes('Next: ')]).toEqual([root, code, true])
  }
  expect(await shown(instance.parent, '{{.Id}} {{.State.StartedAt}}')).toBe(before)
})

test('a root that has vanished is dropped with a notice', async () => {
  await run('docker', ['stop', instance.parent])
  await rm(outside, { recursive: true })
  expect(await instance.hal(['up'])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`the project root ${outside} is gone and no longer mounted`),
  })
  expect(await instance.exec(['spawn', project, '--', 'true'])).toMatchObject({ code: 0 })
  expect(await spawnOutside()).toMatchObject({ code: 7 })
  expect(await instance.hal(['up'])).toMatchObject({ code: 0, stderr: '' })
})
