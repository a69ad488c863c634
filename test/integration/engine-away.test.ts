import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { until } from '../support/run.ts'

/**
 * A second coordinator in the parent, whose engine is a socket that misbehaves; all else is real. What it answers is what a
 * person sees whose engine is down or hangs.
 */
const SOCKETS = {
  'nobody listens': '',
  'accepts and says nothing': 'socket.on("data", () => {})',
  'answers half and stops':
    'socket.write("HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 900\\r\\n\\r\\n{\\"ApiVer")',
  'hangs up': 'socket.destroy()',
  'speaks something else': 'socket.end("SSH-2.0-OpenSSH_9.9\\r\\n")',
  'speaks too old an API': 'answer({ ApiVersion: "1.20", Version: "1.8" })',
}

let instance: Instance

beforeAll(async () => {
  instance = await Instance.up()
})
afterAll(() => instance.down())

describe.each(Object.entries(SOCKETS))('an engine where %s', (what, behaviour) => {
  const home = `/tmp/${what.replaceAll(' ', '-')}`
  const env = {
    HAL9000_NAME: `hal9000-test-${what.replaceAll(' ', '-')}`.slice(0, 31).replace(/-$/, ''),
    HAL9000_HOME: home,
    HAL9000_SOCKET: `${home}/control.sock`,
    HAL9000_DOCKER_SOCKET: `${home}/docker.sock`,
  }

  test('is exit 3 within the deadline, never an empty list', async () => {
    await instance.exec(['mkdir', '-p', home])
    const fake = `require('node:net').createServer((socket) => {
      const answer = (body) => socket.once('data', () => { const text = JSON.stringify(body)
        socket.end('HTTP/1.1 200 OK\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text) })
      socket.on('error', () => {}); ${behaviour} }).listen('${home}/docker.sock')`
    // Both end with the parent.
    if (behaviour !== '')
      await instance.exec(['sh', '-c', `node -e "$FAKE" >/dev/null 2>&1 &`], { env: { FAKE: fake } })
    await instance.exec(
      ['sh', '-c', `flock -F ${home}/coordinator.lock /usr/lib/hal9000/daemon.cjs >${home}/log 2>&1 &`],
      { env },
    )
    await until('it listens', async () => (await instance.exec(['test', '-S', env.HAL9000_SOCKET])).code === 0)

    const [listed, spawned, logged, status] = await Promise.all([
      instance.exec(['coordinator', 'list', '--json'], { env }),
      instance.exec(['spawn', '-d', '--json', instance.root, '--', 'true'], { env }),
      instance.exec(['coordinator', 'logs', 'w1', '--json'], { env }),
      instance.exec(['coordinator', 'status', '--json'], { env }),
    ])
    for (const output of [listed, spawned, logged]) {
      expect(JSON.parse(output.stdout)).toMatchObject({ error: { code: 'engine-unreachable', exitCode: 3 } })
      expect(output.code).toBe(3)
      expect(output.ms).toBeLessThan(20_000)
    }
    // Nobody knows how many workers there are: that is not none.
    const unknown = { engine: null, network: null, workers: null, conditions: null }
    expect(JSON.parse(status.stdout)).toMatchObject({ ready: false, problems: [expect.any(String)], ...unknown })
    expect(status.code).toBe(4)
    const stateNow = async (): Promise<string> =>
      JSON.parse((await instance.exec(['coordinator', 'status', '--json'], { env })).stdout).state
    await until('it is known to be away', async () => (await stateNow()) === 'degraded')
  })
})
