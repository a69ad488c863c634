import { access, chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inspectContainer } from '../support/inspect.ts'
import { Instance, OWNER } from '../support/instance.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('hostile')
})
afterAll(() => instance.down())

/** A program in the project that leaves a trace of who ran it. */
async function trap(name: string, content: string): Promise<string> {
  const path = join(project, name)
  await writeFile(path, content, { mode: 0o755 })
  await chown(path, OWNER, OWNER)
  return path
}

function exists(name: string): Promise<boolean> {
  return access(join(project, name)).then(
    () => true,
    () => false,
  )
}

test.each([
  ['in a session', []],
  ['on pipes', ['--no-tty']],
])(
  '%s what a command writes to the supervisor is not evaluated, and does not change its end',
  async (_how, options) => {
    const program = await trap('as-root', `#!/bin/sh\nid -u >${project}/evaluated\n`)
    const forge = `echo "dead 0 pid[0\\$(${program})]" >/run/hal9000/user/control; sleep 0.5; exit 7`
    const ran = await instance.exec(['spawn', ...options, project, '--', 'bash', '-c', forge])
    expect(await exists('evaluated')).toBe(false)
    expect(ran.code).toBe(7)
  },
)

test('a file that --env-file names gives the worker variables, and the command that reads it none', async () => {
  await trap('x.js', `require('fs').writeFileSync('${project}/loaded', '')`)
  const file = await trap('dev.env', `NODE_OPTIONS=--require=${project}/x.js\nA=1\n`)
  const ran = await instance.exec(['spawn', '--no-tty', '--env-file', file, project, '--', 'printenv', 'A'])
  expect(await exists('loaded')).toBe(false)
  expect([ran.code, ran.stdout]).toEqual([0, '1\n'])
})

test('a file that --env-file names is not followed to another place', async () => {
  const linked = await instance.exec(['sh', '-c', `spawn --env-file /proc/self/fd/0 ${project} -- true </etc/passwd`])
  expect(linked.code).toBe(2)
  expect(linked.stderr).toContain('it is a link')
})

test('variables named like those of the scripts reach the command, and only the command', async () => {
  const names = ['mode', 'user', 'project', 'name', 'size', 'tmux', 'uid', 'run', 'lib', 'dead']
  const options = names.flatMap((name) => ['-e', `${name}=/etc`])
  const ran = await instance.exec([
    'spawn',
    '--no-tty',
    ...options,
    project,
    '--',
    'sh',
    '-c',
    'pwd; printenv "$@"',
    '-',
    ...names,
  ])
  expect(ran.stdout).toBe(`${project}\n${'/etc\n'.repeat(names.length)}`)
})

test('the worker of a project that root owns gets no capabilities at all, so that its command can leave none', async () => {
  const roots = await instance.project('of-root', 0)
  const { worker } = await instance.spawn(['-n', 'root', roots, '--', 'sleep', '100'])
  const { HostConfig } = await inspectContainer(worker.id)
  expect([HostConfig.CapDrop, HostConfig.CapAdd ?? []]).toEqual([['ALL'], []])
  const stopped = await instance.exec(['coordinator', 'stop', 'root'])
  expect(stopped.code).toBe(0)
})

test('what a repository writes in its file does not reach a terminal as it is', async () => {
  await trap('hal9000.json', JSON.stringify({ '\u001B]0;title\u0007': 1 }))
  const ran = await instance.exec(['spawn', '-d', project, '--', 'true'])
  expect([ran.code, ran.stderr.includes('\u001B')]).toEqual([2, false])
})
