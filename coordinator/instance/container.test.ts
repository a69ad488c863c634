import { expect, test } from 'vitest'
import { guessContainer, type Surface } from './container.ts'

const HOST: Surface = {
  environment: { HOME: '/root' },
  uid: 0,
  files: [],
  cgroup: '0::/system.slice/docker.service\n',
  mountinfo:
    '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:25 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n',
}
const ID = 'ab'.repeat(32)
const env = (environment: Record<string, string>): Partial<Surface> => ({ environment })

test('a host is none, also for root, and also where an engine runs', () => {
  expect(guessContainer(HOST)).toEqual({
    container: false,
    score: 1,
    threshold: 3,
    evidence: [{ indicator: 'user id 0', score: 1 }],
  })
})

test.each<[string, number, Partial<Surface>]>([
  ['CLAUDECODE=1', 3, env({ CLAUDECODE: '1' })],
  ['CLAUDE_CODE_ENTRYPOINT=cli', 3, env({ CLAUDE_CODE_ENTRYPOINT: 'cli' })],
  ['/.dockerenv', 3, { files: ['/.dockerenv'] }],
  ['/run/.containerenv', 3, { files: ['/run/.containerenv'] }],
  ['/workspace/.claude', 3, { files: ['/workspace/.claude'] }],
  ['DEVCONTAINER=true', 2, env({ DEVCONTAINER: 'true' })],
  ['IS_SANDBOX=1', 2, env({ IS_SANDBOX: '1' })],
  ['container=docker', 2, env({ container: 'docker' })],
  ['container=podman', 2, env({ container: 'podman' })],
  ['a control group of a container', 2, { cgroup: `12:cpu:/docker/${ID}\n` }],
  ['a control group of a container', 2, { cgroup: `0::/system.slice/docker-${ID}.scope\n` }],
  ['a control group of a container', 2, { cgroup: '0::/kubepods.slice/kubepods-pod1.slice\n' }],
  ['a control group of a container', 2, { cgroup: `0::/machine.slice/libpod-${ID}.scope\n` }],
  ['a control group of a container', 2, { cgroup: '0::/lxc.payload.web\n' }],
  ['an overlay as root file system', 2, { mountinfo: '22 1 0:40 / / rw master:1 - overlay overlay rw,lowerdir=x\n' }],
])('%s scores %i, and alone is enough from 3 on', (indicator, score, change) => {
  const guess = guessContainer({ ...HOST, uid: 1000, ...change })
  expect(guess).toMatchObject({ evidence: [{ indicator, score }], score, container: score >= 3 })
})

test.each<Partial<Surface>>([
  env({ CLAUDECODE: '0' }),
  env({ DEVCONTAINER: 'yes' }),
  env({ container: 'systemd-nspawn' }),
  env({ IS_SANDBOX: '' }),
  { cgroup: '0::/user.slice/user-1000.slice/docker-desktop.service\n' },
])('%o is no indicator', (change) => expect(guessContainer({ ...HOST, uid: 1000, ...change }).evidence).toEqual([]))

test('weak indicators add up', () => {
  expect(guessContainer({ ...HOST, ...env({ IS_SANDBOX: '1' }) })).toMatchObject({ score: 3, container: true })
})
