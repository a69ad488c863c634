import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const TOOLS = ['cat', 'date', 'mktemp', 'rm', 'sh', 'sleep', 'tail', 'timeout']
const skip = !existsSync('/etc/debian_version')
let bin: string

/** A PATH with a few tools and no Docker; what is installed there comes from the test. */
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'hal9000-engine-'))
  for (const tool of TOOLS) {
    const real = ['/usr/bin', '/bin'].map((path) => join(path, tool)).find((path) => existsSync(path))
    if (real !== undefined) symlinkSync(real, join(bin, tool))
  }
  command('id', 'echo 0')
})
afterEach(() => {
  rmSync(bin, { recursive: true })
})

function command(name: string, script: string): void {
  // Never through a link: that would write to the machine's own tool.
  rmSync(join(bin, name), { force: true })
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, name), 0o755)
}

function engine(words: string[], env: Record<string, string> = {}): { code: number | null; said: string } {
  const { status, stderr } = spawnSync(resolve('images/engine'), words, {
    env: { PATH: bin, BIN: bin, ...env },
    encoding: 'utf8',
    input: '',
  })
  return { code: status, said: stderr }
}

test('an engine that answers is nothing to talk about', () => {
  command('docker', 'echo 20.10')
  expect(engine([])).toEqual({ code: 0, said: '' })
})

test('without Docker, without a terminal and without --yes, nothing is installed', { skip }, () => {
  command('apt-get', 'echo >"$BIN/installed"')
  expect(engine([])).toMatchObject({ code: 3, said: expect.stringContaining('./hal9000 up --yes') })
  expect(engine(['--check', '--yes']).code).toBe(3)
  expect(existsSync(join(bin, 'installed'))).toBe(false)
})

test('who is not root is told where to get one', () => {
  command('id', 'echo 1000')
  expect(engine(['--yes'])).toMatchObject({
    code: 3,
    said: expect.stringContaining('https://docs.docker.com/engine/install/'),
  })
})

test.for([
  ['--yes', {}],
  ['CI=true', { CI: 'true' }],
] as const)('with %s docker.io is installed, and started by its package', { skip }, ([how, env]) => {
  command(
    'apt-get',
    `echo "$*" >>"$BIN/apt"; [ "$1" = update ] || { printf '#!/bin/sh\\necho 1' >"$BIN/docker"; cat "$BIN/docker" >"$BIN/dockerd"; }
     [ "$1" = update ] || /bin/chmod +x "$BIN/docker" "$BIN/dockerd"`,
  )
  expect(engine(how === '--yes' ? ['--yes'] : [], env)).toMatchObject({
    code: 0,
    said: expect.stringMatching(/^engine +installed in \d+ s\n$/),
  })
  expect(readFileSync(join(bin, 'apt'), 'utf8')).toBe('update\ninstall -y docker.io\n')
})

test('an install that fails shows what was said', { skip }, () => {
  command('apt-get', 'echo "E: no such package"; exit 100')
  expect(engine(['--yes'])).toMatchObject({ code: 3, said: expect.stringContaining('E: no such package') })
})

test('a user who may not use the engine is told how to', () => {
  command('docker', 'echo "permission denied while trying to connect" >&2; exit 1')
  expect(engine(['--yes'])).toMatchObject({ code: 3, said: expect.stringContaining('usermod -aG docker') })
})

test('an engine elsewhere is not started here', () => {
  command('docker', 'echo "Cannot connect" >&2; exit 1')
  command('dockerd', 'echo >"$BIN/started"')
  expect(engine(['--yes'], { DOCKER_HOST: 'tcp://elsewhere:2375' }).code).toBe(3)
  expect(existsSync(join(bin, 'started'))).toBe(false)
})

test('an engine that accepts and says nothing is not waited for', () => {
  command('timeout', 'shift; exec /usr/bin/timeout 0.2 "$@"')
  command('docker', 'exec /bin/sleep 60')
  expect(engine([])).toMatchObject({ code: 3, said: expect.stringContaining('has not answered for 10 s') })
})
