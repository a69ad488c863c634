import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { daemonStatus, HOME, untilHealthy } from '../support/daemon.ts'
import { Instance } from '../support/instance.ts'
import { run, succeed } from '../support/run.ts'

/** A bare parent whose state directory is a small file system of its own, which root's capabilities do not get around. */
let instance: Instance

beforeAll(async () => {
  instance = await Instance.planned()
  const { version } = JSON.parse(await succeed('cat', [join(import.meta.dirname, '..', '..', 'package.json')])) as {
    version: string
  }
  const image = process.env['HAL9000_PARENT_IMAGE'] ?? `hal9000/parent:${version}`
  const named = ['run', '-d', '--name', instance.parent, '-e', `HAL9000_NAME=${instance.name}`]
  const state = ['--tmpfs', `${HOME}:size=16m,mode=700`, '--cap-add', 'SYS_ADMIN', '--cap-drop', 'DAC_OVERRIDE']
  const free = ['--security-opt', 'apparmor=unconfined', '--security-opt', 'seccomp=unconfined']
  await succeed('docker', [...named, ...state, ...free, image])
})
beforeEach(async () => {
  await untilHealthy(instance)
})
afterAll(async () => {
  await run('docker', ['rm', '-f', '-v', instance.parent])
  await instance.down()
})

const daemon = (...words: string[]) => instance.exec(['coordinator', 'daemon', ...words])
const inside = (script: string) => succeed('docker', ['exec', instance.parent, 'sh', '-c', script])

test.each([
  [
    'full',
    `! dd if=/dev/zero of=${HOME}/filler bs=64k 2>/dev/null`,
    `rm ${HOME}/filler`,
    `The state directory ${HOME} is full.`,
  ],
  [
    'read-only',
    `mount -o remount,ro ${HOME}`,
    `mount -o remount,rw ${HOME}`,
    `The state directory ${HOME} is read-only.`,
  ],
  [
    'of somebody else',
    `chown 12345 ${HOME}`,
    `chown 0 ${HOME}`,
    `The state directory ${HOME} may not be written by this process.`,
  ],
])(
  'a state directory that is %s is named by start and status, and nobody starts until it is well',
  async (_, spoil, mend, message) => {
    await daemon('stop')
    await inside(spoil)
    try {
      const started = await daemon('start', '--json')
      expect([started.code, JSON.parse(started.stdout)]).toMatchObject([
        4,
        { error: { code: 'not-ready', message: expect.stringContaining(message) } },
      ])
      expect(started.ms).toBeLessThan(20_000)
      // The supervisor goes on trying, and none of them serves.
      expect(await daemonStatus(instance)).toMatchObject({
        problems: [message],
        state: expect.stringMatching(/^(absent|starting|stale)$/),
      })
    } finally {
      await inside(mend)
    }
    expect(await daemon('start')).toMatchObject({ code: 0 })
  },
  120_000,
)

test('a running coordinator serves on in a full one, and status names it', async () => {
  await inside(`! dd if=/dev/zero of=${HOME}/filler bs=64k 2>/dev/null`)
  try {
    expect(await daemonStatus(instance)).toMatchObject({
      state: 'healthy',
      problems: [`The state directory ${HOME} is full.`],
    })
  } finally {
    await inside(`rm ${HOME}/filler`)
  }
})
