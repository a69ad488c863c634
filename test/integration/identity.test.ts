import { chown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { imageOf } from '../support/images.ts'
import { Instance } from '../support/instance.ts'

let instance: Instance

beforeAll(async () => {
  instance = await Instance.up()
})
afterAll(() => instance.down())

/** Owners whose numbers mean somebody in a Debian image, mean nobody, or are as large as a number may be. */
const OWNERS = [
  ['worker', 'root', 0, 0],
  ['worker-ultramin', 'daemon of the image', 1, 1],
  ['worker', 'www-data of the image', 33, 33],
  ['worker-ultramin', 'nobody that the image knows, in its group dialout', 1234, 20],
  ['worker', 'nobody that the image knows, in root’s group', 1234, 0],
  ['worker-ultramin', 'nobody and nogroup', 65_534, 65_534],
  ['worker', 'the largest numbers there are', 4_294_967_294, 4_294_967_294],
] as const

const LOOK = `id -u; id -g; id -G; id -un; whoami; id -gn; getent passwd "$(id -u)"; getent passwd worker
  echo "$USER $LOGNAME $SHELL $HOME"; cd; pwd; touch kept && echo writable; cd - >/dev/null; touch made; mkdir folder`

test.each(OWNERS)('in %s the command is the owner of the project: %s (%i:%i)', async (image, _who, uid, gid) => {
  const project = join(instance.root, `${uid}-${gid}`)
  await mkdir(project)
  await chown(project, uid, gid)
  const ran = await instance.exec(['spawn', '-i', imageOf(image), project, '--', 'sh', '-c', LOOK])
  const entry = `worker:x:${uid}:${gid}::/home/worker:/bin/bash`
  expect(ran.stdout.trimEnd().split('\n')).toEqual([
    ...[uid, gid, gid].map(String),
    'worker',
    'worker',
    'worker',
    entry,
    entry,
    'worker worker /bin/bash /home/worker',
    '/home/worker',
    'writable',
  ])
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  for (const name of ['made', 'folder']) expect(await stat(join(project, name))).toMatchObject({ uid, gid })
})
