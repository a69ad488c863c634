import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inspectContainer } from '../support/inspect.ts'
import { Instance, OWNER } from '../support/instance.ts'
import { until } from '../support/run.ts'

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up()
  project = await instance.project('work')
})
afterAll(() => instance.down())

test.each([
  ['in a session', []],
  ['on pipes', ['--no-tty']],
])('%s the command is the owner of the project and nothing more', async (_how, options) => {
  const look = `id -u; id -g; id -G; pwd; pwd -P; echo "$HOME"; cd /workspace && pwd -P
    grep -E "^(Cap...|NoNewPrivs|Seccomp):" /proc/self/status; ls /var/run/docker.sock /run/hal9000/control.sock 2>&1`
  const ran = await instance.exec(['spawn', ...options, project, '--', 'sh', '-c', look])
  const lines = ran.stdout.trim().split('\n')
  expect(lines.slice(0, 7)).toEqual([`${OWNER}`, `${OWNER}`, `${OWNER}`, project, project, '/home/worker', project])
  const status = new Map(lines.slice(7, 14).map((line) => line.split(':\t') as [string, string]))
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    expect([set, status.get(set)]).toEqual([set, '0000000000000000'])
  }
  expect(status.get('NoNewPrivs')).toBe('1')
  expect(status.get('Seccomp')).toBe('2')
  expect(lines.slice(14)).toEqual([
    expect.stringMatching(/docker\.sock.*No such file/),
    expect.stringMatching(/control\.sock.*No such file/),
  ])
})

test('limits are set in the engine, with swap pinned to memory', async () => {
  const limits = ['--memory', '300m', '--cpus', '0.5', '--pids-limit', '50']
  const { worker } = await instance.spawn(['-n', 'limited', ...limits, project, '--', 'sleep', '100'])
  const { HostConfig } = await inspectContainer(worker.id)
  expect(HostConfig).toMatchObject({
    Memory: 300 * 2 ** 20,
    MemorySwap: 300 * 2 ** 20,
    NanoCpus: 5e8,
    PidsLimit: 50,
    Privileged: false,
  })
  expect(worker.limits).toEqual({ memory: 300 * 2 ** 20, cpus: 0.5, pids: 50 })
  await instance.exec(['coordinator', 'stop', 'limited'])
})

test('--no-limits sets none', async () => {
  const { worker } = await instance.spawn(['-n', 'unlimited', '--no-limits', project, '--', 'sleep', '100'])
  const { HostConfig } = await inspectContainer(worker.id)
  expect([HostConfig.Memory, HostConfig.NanoCpus, HostConfig.PidsLimit ?? 0]).toEqual([0, 0, 0])
  expect(worker.limits).toEqual({ memory: null, cpus: null, pids: null })
  await instance.exec(['coordinator', 'stop', 'unlimited'])
})

test('labels say who it is, and nothing else does', async () => {
  const { worker } = await instance.spawn(['-n', 'labelled', project, '--', 'sleep', '100'])
  const { Config } = await inspectContainer(worker.id)
  const own = Object.entries(Config.Labels).filter(([label]) => label.startsWith('hal9000.'))
  expect(Object.fromEntries(own)).toMatchObject({
    'hal9000.managed': 'true',
    'hal9000.instance': instance.name,
    'hal9000.role': 'worker',
    'hal9000.worker': 'labelled',
    'hal9000.project': project,
    'hal9000.request': worker.request,
    'hal9000.schema': '1',
  })
  await instance.exec(['coordinator', 'stop', 'labelled'])
})

test('environment and secrets reach the command, and are nowhere else to be read', async () => {
  await writeFile(join(instance.root, 'token'), 'c0nfidential-secret\n', { mode: 0o600 })
  await writeFile(join(instance.root, 'env'), '# a comment\nFROM_FILE=c0nfidential-file\nSHARED=of the file\n')
  const show =
    'cat /run/secrets/token; stat -c %a:%u /run/secrets/token; echo "$FROM_FILE $GIVEN $SHARED $TAKEN"; sleep 100'
  const files = ['--secret', `token=${instance.root}/token`, '--env-file', `${instance.root}/env`]
  const given = ['-e', 'GIVEN=c0nfidential env', '-e', 'SHARED=of the flag', '-e', 'TAKEN']
  const { worker } = await instance.spawn(['-n', 'told', ...files, ...given, project, '--', 'sh', '-c', show], {
    env: { TAKEN: 'c0nfidential-taken' },
  })
  const told = `c0nfidential-secret\n400:${OWNER}\nc0nfidential-file c0nfidential env of the flag c0nfidential-taken\n`
  const logs = ['coordinator', 'logs', 'told']
  await until('the command has shown all', async () => (await instance.exec(logs)).stdout === told)
  expect((await inspectContainer(worker.id)).text).not.toContain('c0nfidential')
  const kept = 'cd /var/lib/hal9000 && ls redis/* sessions/* && ! grep -rl c0nfidential redis sessions'
  expect(await instance.exec(['sh', '-c', kept])).toMatchObject({ code: 0, stdout: expect.stringContaining('redis') })
  expect((await instance.hal(['logs'])).stdout).not.toContain('c0nfidential')
  await instance.exec(['coordinator', 'stop', 'told'])
})

test('NODE_OPTIONS in an environment file are the command’s, not the parent’s', async () => {
  await writeFile(join(instance.root, 'preload.cjs'), 'console.log("LOADED")\n')
  await writeFile(join(instance.root, 'options'), `NODE_OPTIONS=--require=${instance.root}/preload.cjs\n`)
  const options = ['--env-file', join(instance.root, 'options')]
  const ran = await instance.exec(['spawn', ...options, project, '--', 'sh', '-c', 'echo "$NODE_OPTIONS"'])
  expect(ran.stdout).toBe(`--require=${instance.root}/preload.cjs\n`)
})
