import { HOME } from '../support/daemon.ts'
import { imageOf } from '../support/images.ts'
import { Instance } from '../support/instance.ts'
import { run, succeed, until } from '../support/run.ts'

/** A bare parent whose state directory is a small file system of its own, which can be filled. */
export class SmallDiskParent {
  readonly instance: Instance

  private constructor(instance: Instance) {
    this.instance = instance
  }

  static async start(env: Record<string, string> = {}): Promise<SmallDiskParent> {
    const instance = await Instance.planned()
    const settings = Object.entries({ ...env, HAL9000_NAME: instance.name }).flatMap(([key, value]) => [
      '-e',
      `${key}=${value}`,
    ])
    const mounts = ['-v', '/var/run/docker.sock:/var/run/docker.sock', '--tmpfs', `${HOME}:size=16m,mode=700`]
    const image = process.env['HAL9000_PARENT_IMAGE'] ?? imageOf('parent')
    await succeed('docker', ['run', '-d', '--name', instance.parent, ...settings, ...mounts, image])
    const parent = new SmallDiskParent(instance)
    await parent.untilReady()
    return parent
  }

  /** A shell script in the parent, which must succeed; what it prints. */
  async inside(script: string): Promise<string> {
    return await succeed('docker', ['exec', this.instance.parent, 'sh', '-c', script])
  }

  /** Takes every block that is left. */
  async fill(): Promise<void> {
    await this.inside(`! dd if=/dev/zero bs=4k 2>/dev/null >>${HOME}/filler`)
  }

  async makeRoom(): Promise<void> {
    await this.inside(`rm -f ${HOME}/filler`)
  }

  async untilReady(): Promise<void> {
    await until('it is ready', async () => (await this.instance.exec(['coordinator', 'ready'])).code === 0, 30_000)
  }

  async down(): Promise<void> {
    await this.instance.exec(['coordinator', 'stop-all', '--yes', '-t', '0'])
    await run('docker', ['rm', '-f', '-v', this.instance.parent])
    await this.instance.down()
  }
}
