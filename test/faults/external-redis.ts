import { imageOf } from '../support/images.ts'
import type { Instance } from '../support/instance.ts'
import { run, succeed, until } from '../support/run.ts'

const PASSWORD = 'not-to-be-told'

/** A Redis in a container of its own, in the network that the parent is in; it keeps what it acknowledges. */
export class ExternalRedis {
  readonly password = PASSWORD
  readonly #name: string
  readonly #network: string

  constructor(instance: Instance) {
    this.#name = `${instance.name}-redis`
    this.#network = instance.name
  }

  /** Starts an empty one, and has the instance's parent use it. */
  async serve(instance: Instance): Promise<void> {
    await this.start()
    const env = { HAL9000_REDIS_URL: `redis://:${PASSWORD}@${await this.#address()}:6379` }
    const up = await instance.hal(['up'], { env, timeout: 120_000 })
    if (up.code !== 0) throw new Error(`up failed with ${up.code}:\n${up.stderr}`)
  }

  async start(): Promise<void> {
    // A user of our own, who gets in whatever the parent is told.
    const user = ['--requirepass', PASSWORD, '--user', 'us', 'on', 'nopass', '~*', '&*', '+@all']
    const options = [...user, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
    const container = ['run', '-d', '--name', this.#name, '--network', this.#network, '--entrypoint', 'redis-server']
    await succeed('docker', [...container, '--workdir', '/tmp', imageOf('parent'), ...options])
    await until('it answers', async () => (await this.cli('PING').catch(() => '')) === 'PONG')
  }

  /** A command to it, from inside of its container; its answer. */
  async cli(...words: string[]): Promise<string> {
    const client = ['exec', '-e', 'REDISCLI_AUTH=any', this.#name, 'redis-cli', '--user', 'us', '-e', ...words]
    return await succeed('docker', client)
  }

  /** Takes it away; it is back when the returned function returns. */
  async away(how: 'killed' | 'paused' | 'cut off'): Promise<() => Promise<unknown>> {
    const { off, on } = this.#ways()[how]
    await succeed('docker', off)
    return () => succeed('docker', on)
  }

  /** With all that it has kept. */
  async remove(): Promise<void> {
    await run('docker', ['rm', '-f', '-v', this.#name])
  }

  #ways(): Record<'killed' | 'paused' | 'cut off', { off: string[]; on: string[] }> {
    const [network, name] = [this.#network, this.#name]
    return {
      killed: { off: ['kill', name], on: ['start', name] },
      paused: { off: ['pause', name], on: ['unpause', name] },
      'cut off': { off: ['network', 'disconnect', network, name], on: ['network', 'connect', network, name] },
    }
  }

  async #address(): Promise<string> {
    return await succeed('docker', [
      'inspect',
      '-f',
      '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
      this.#name,
    ])
  }
}
