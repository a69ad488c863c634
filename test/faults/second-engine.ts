import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, succeed, until } from '../support/run.ts'

/**
 * A Docker engine of its own beside the host's, which can be killed: in a network namespace of its own, or it would take the
 * first one's bridge away. Needs root, dockerd and unshare.
 */
export class SecondEngine implements AsyncDisposable {
  readonly #home: string
  readonly #options: readonly string[]
  #daemon: ChildProcess | undefined

  private constructor(home: string, options: readonly string[]) {
    this.#home = home
    this.#options = options
  }

  /** An engine with these options of dockerd and copies of these images. */
  static async start(options: readonly string[], images: readonly string[]): Promise<SecondEngine> {
    const engine = new SecondEngine(await mkdtemp(join(tmpdir(), 'hal9000-engine-')), options)
    await engine.begin()
    const copy = `docker save ${images.join(' ')} | docker -H unix://${engine.socket} load`
    await succeed('sh', ['-c', copy], { timeout: 120_000 })
    return engine
  }

  get socket(): string {
    return join(this.#home, 'docker.sock')
  }

  /** Starts the daemon, and waits until it answers. Its containers are what it makes of them. */
  async begin(): Promise<void> {
    const paths = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [`--${name}`, join(this.#home, name)])
    const words = ['--net', 'dockerd', '-H', `unix://${this.socket}`, ...paths, ...this.#options]
    this.#daemon = spawn('unshare', words, { stdio: 'ignore' })
    const version = ['-H', `unix://${this.socket}`, 'version']
    await until('the second engine answers', async () => (await run('docker', version)).code === 0, 60_000)
  }

  /** Ends the daemon with a signal, and waits until it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    await this.signal(signal)
    await until('the second engine has ended', async () => this.#hasEnded(), 60_000)
    // Its containerd dies with it. Where the first process of a machine reaps nobody, that stays a zombie, and dockerd waits in
    // vain for what it takes for one that runs.
    const note = join(this.#home, 'exec-root', 'containerd', 'containerd.pid')
    const containerd = await readFile(note, 'utf8').catch(() => undefined)
    if (containerd === undefined) return
    await until('its containerd has ended', async () => await isGone(Number(containerd)), 60_000)
    await rm(note)
  }

  /** Signals the daemon: SIGSTOP has it hang, SIGCONT go on. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(Number(await readFile(join(this.#home, 'pidfile'), 'utf8')), signal)
  }

  #hasEnded(): boolean {
    return this.#daemon?.exitCode !== null || this.#daemon.signalCode !== null
  }

  async docker(...words: string[]): Promise<string> {
    return await succeed('docker', ['-H', `unix://${this.socket}`, ...words])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ids = (await this.docker('ps', '-aq')).split('\n').filter((id) => id !== '')
    if (ids.length > 0) await this.docker('rm', '-f', ...ids)
    await this.end('SIGTERM')
    // With --live-restore the daemon leaves it mounted.
    await run('umount', ['--recursive', join(this.#home, 'data-root')])
    await rm(this.#home, { recursive: true, force: true })
  }
}

/** Gone, or a zombie. Third field of proc(5), stat. */
async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat === undefined || /^\d+ \(.*\) Z /s.test(stat)
}
