import { createHash } from 'node:crypto'
import type { Instance } from './instance.ts'

/** What sha256sum prints of bytes from its stdin. */
export function sumOf(bytes: Buffer): string {
  return `${createHash('sha256').update(bytes).digest('hex')}  -\n`
}

/** The inputs that Redis holds, by key. */
export async function keptInputs(instance: Instance): Promise<string[]> {
  return (await redis(instance, 'KEYS', '*:input:*')).split('\n').filter((key) => key !== '')
}

/** A command to the embedded Redis; its answer, a line for each value. */
export async function redis(instance: Instance, ...words: string[]): Promise<string> {
  const client = ['redis-cli', '-s', '/run/hal9000/redis/redis.sock', '--raw', '-e', ...words]
  const { code, stdout, stderr } = await instance.exec(client)
  if (code !== 0) throw new Error(`Redis did not do ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout.trimEnd()
}
