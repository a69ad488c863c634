import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FailureShape } from '../../coordinator/contract/failure.ts'
import { control } from '../support/control.ts'
import { imageOf } from '../support/images.ts'
import { Instance } from '../support/instance.ts'

let instance: Instance
/** What the table's words in capitals stand for. */
let places: Record<string, string>

beforeAll(async () => {
  instance = await Instance.up()
  const { root } = instance
  const project = await instance.project('work')
  await mkdir(join(root, '.ssh', 'keys'), { recursive: true })
  await writeFile(join(root, 'file'), '')
  await symlink('/etc', join(root, 'to-etc'))
  await symlink('.ssh/keys', join(root, 'to-keys'))
  await symlink('loop', join(root, 'loop'))
  await writeFile(join(project, 'plain'), 'text\n')
  await writeFile(join(project, 'lost'), '#!/no/such/interpreter\n')
  await chmod(join(project, 'lost'), 0o755)
  places = { PROJECT: project, ROOT: root }
})
afterAll(() => instance.down())

type Row = [what: string, args: string[], code: FailureShape['code'], exitCode: number, says: string]

const OK = ['PROJECT', '--', 'true']

const SPAWNS: Row[] = [
  // The command line.
  ['an unknown option', ['--bogus', ...OK], 'usage', 2, "Unknown option '--bogus'"],
  ['an option without its value', ['PROJECT', '--name'], 'usage', 2, 'argument missing'],
  ['a command without dashes', ['PROJECT', 'sleep', '5'], 'usage', 2, 'The command goes after "--"'],
  ['dashes without a command', ['PROJECT', '--'], 'usage', 2, 'There is no command after "--"'],
  ['detached foreground', ['--foreground', ...OK], 'usage', 2, '--detach and --foreground exclude each other'],
  // Names.
  ['an empty name', ['--name', '', ...OK], 'invalid-value', 2, '--name: a name is 1 to 40'],
  ['a name of 41', ['--name', 'a'.repeat(41), ...OK], 'invalid-value', 2, '--name'],
  ['a name with a leading dash', ['--name=-a', ...OK], 'invalid-value', 2, '--name'],
  ['a name with a leading dot', ['--name', '.a', ...OK], 'invalid-value', 2, '--name'],
  ['a look-alike letter', ['--name', 'w\u043Erker', ...OK], 'invalid-value', 2, '--name'],
  ['a newline in the name', ['--name', 'a\nb', ...OK], 'invalid-value', 2, '--name'],
  ['a newline after the name', ['--name', 'ab\n', ...OK], 'invalid-value', 2, '--name'],
  ['a name that is a path', ['--name', '../images', ...OK], 'invalid-value', 2, '--name'],
  ['two dots', ['--name', '..', ...OK], 'invalid-value', 2, '--name'],
  // Values.
  ['memory that is none', ['--memory', 'much', ...OK], 'invalid-value', 2, '--memory: "much" is not a size'],
  ['negative memory', ['--memory=-1g', ...OK], 'invalid-value', 2, '--memory'],
  ['too little memory', ['--memory', '8m', ...OK], 'invalid-value', 2, 'must be 16m or more'],
  ['more memory than there is', ['--memory', '900t', ...OK], 'invalid-value', 2, 'more than this host has'],
  ['no cores', ['--cpus', '0', ...OK], 'invalid-value', 2, '--cpus'],
  ['cores that are no number', ['--cpus', 'NaN', ...OK], 'invalid-value', 2, '--cpus'],
  ['more cores than there are', ['--cpus', '4000', ...OK], 'invalid-value', 2, 'more than this host has'],
  ['one process', ['--pids-limit', '1', ...OK], 'invalid-value', 2, '--pids-limit'],
  ['half a process', ['--pids-limit', '20.5', ...OK], 'invalid-value', 2, '--pids-limit'],
  ['a timeout that is none', ['--timeout', 'soon', ...OK], 'invalid-value', 2, '--timeout: "soon" is not a duration'],
  ['a wait that is none', ['--wait=-5s', ...OK], 'invalid-value', 2, '--wait'],
  ['an env name with a dash', ['--env', 'A-B=1', ...OK], 'invalid-value', 2, '--env "A-B"'],
  ['an env without a name', ['--env', '=1', ...OK], 'invalid-value', 2, '--env "=1"'],
  ['an env that is not set here', ['--env', 'NOT_SET_HERE', ...OK], 'invalid-value', 2, 'NOT_SET_HERE'],
  ['an env file that is not there', ['--env-file', 'ROOT/none', ...OK], 'invalid-value', 2, 'there is no such file'],
  ['a secret without a file', ['--secret', 'token', ...OK], 'invalid-value', 2, 'is not NAME=FILE'],
  ['a secret that leaves its folder', ['--secret', '../x=ROOT/file', ...OK], 'invalid-value', 2, '--secret'],
  ['a secret that is a directory', ['--secret', 'x=ROOT', ...OK], 'invalid-value', 2, 'is not a file'],
  ['bytes that are no UTF-8', ['PROJECT', '--', 'echo', '\uFFFD'], 'invalid-value', 2, 'must be valid UTF-8'],
  // Projects.
  ['a missing project', ['ROOT/none', '--', 'true'], 'project-missing', 5, 'does not exist on the host'],
  ['a project below a file', ['ROOT/file/x', '--', 'true'], 'project-missing', 5, 'does not exist on the host'],
  ['a link to itself', ['ROOT/loop', '--', 'true'], 'project-missing', 5, 'does not exist on the host'],
  ['a relative project', ['work', '--', 'true'], 'usage', 2, 'is relative'],
  ['an empty project', ['', '--', 'true'], 'usage', 2, 'PROJECT is empty'],
  ['no project', ['--', 'true'], 'usage', 2, 'PROJECT is missing'],
  ['a file as project', ['ROOT/file', '--', 'true'], 'invalid-value', 2, 'is not a directory'],
  ['the root directory', ['/', '--', 'true'], 'refused-by-policy', 7, 'root of the file system'],
  ['/etc', ['/etc', '--', 'true'], 'refused-by-policy', 7, 'it is in /etc'],
  ['/etc by dots', ['ROOT/../../../../root/../etc/', '--', 'true'], 'refused-by-policy', 7, 'it is in /etc'],
  ['/etc by a link', ['ROOT/to-etc', '--', 'true'], 'refused-by-policy', 7, 'it is in /etc'],
  ['below /etc by a link', ['ROOT/to-etc/ssl', '--', 'true'], 'refused-by-policy', 7, 'it is in /etc'],
  ['/proc', ['/proc/self/cwd', '--', 'true'], 'refused-by-policy', 7, 'it is in /proc'],
  ['what contains a denied place', ['/var', '--', 'true'], 'refused-by-policy', 7, 'it contains /var/'],
  ["the engine's data", ['/var/lib/docker/volumes', '--', 'true'], 'refused-by-policy', 7, 'it is in /var/lib/docker'],
  ['a home directory itself', ['ROOT', '--', 'true'], 'refused-by-policy', 7, 'it is a home directory'],
  ['credentials', ['ROOT/.ssh/keys', '--', 'true'], 'refused-by-policy', 7, 'it is in .ssh'],
  ['credentials by a link', ['ROOT/to-keys', '--', 'true'], 'refused-by-policy', 7, 'it is in .ssh'],
  ['a place outside of the roots', ['/opt/x', '--', 'true'], 'refused-by-policy', 7, 'not in a directory that workers'],
  // Images and commands.
  ['a missing image', ['-i', 'hal9000/none:1', ...OK], 'image-missing', 5, '"hal9000/none:1" is not on this host'],
  ['no worker image', ['-i', imageOf('parent'), ...OK], 'invalid-value', 2, 'is not a hal9000 worker image'],
  ['an image that is none', ['-i', '../x', ...OK], 'invalid-value', 2, '--image'],
  ['a command that is not there', ['PROJECT', '--', 'no-such'], 'command-not-found', 127, 'not found: no-such'],
  ['a path that is not there', ['PROJECT', '--', './no'], 'command-not-found', 127, 'not found: ./no'],
  ['a file without its bit', ['PROJECT', '--', './plain'], 'command-not-executable', 126, 'permission denied'],
  ['a directory', ['PROJECT', '--', '/tmp'], 'command-not-executable', 126, 'it is a directory'],
  ['an interpreter that is missing', ['PROJECT', '--', './lost'], 'command-not-executable', 126, 'its interpreter'],
]

test.each(SPAWNS)('spawn refuses %s', async (_what, args, code, exitCode, says) => {
  const placed = args.map((word) => word.replace(/PROJECT|ROOT/, (place) => places[place] ?? place))
  const refused = await instance.exec(['spawn', '--detach', '--json', ...placed])
  expect(await instance.workerContainers()).toEqual([])
  expect(JSON.parse(refused.stdout)).toMatchObject({ schemaVersion: 1, error: { code, exitCode } })
  expect(JSON.parse(refused.stdout).error.message).toContain(says)
  expect(refused).toMatchObject({ code: exitCode, stderr: '' })
})

test('without --json a refusal is a line on stderr and the next step, which is a command', async () => {
  const refused = await instance.exec(['spawn', '-d', '/opt/x', '--', 'true'])
  expect(refused).toMatchObject({ code: 7, stdout: '' })
  expect(refused.stderr).toMatch(
    /^\/opt\/x is not in .*\.\nNext: allow it on the host with: \.\/hal9000 up --projects \/opt\/x\n$/,
  )
})

test.each([
  ['a NUL byte', { command: ['echo', 'a\0b'] }, 'the command: must not contain a NUL byte'],
  ['an argument of 200 kB', { command: ['echo', 'x'.repeat(200_000)] }, '131,071 bytes'],
  ['2 MB of arguments', { command: Array<string>(20).fill('x'.repeat(100_000)) }, '1.5 MB'],
  ['a field that it does not know', { privileged: true }, 'privileged'],
  ['an id that is a path', { id: '../../x' }, 'a request id is'],
])('the control API refuses %s', async (_what, more, says) => {
  const body = { id: 'r-refused-one', project: places['PROJECT'], command: ['true'], ...more }
  const answer = await control(instance, 'POST', '/v1/workers', body)
  expect(await instance.workerContainers()).toEqual([])
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid-value' } } })
  expect(answer.body.error?.message).toContain(says)
})
