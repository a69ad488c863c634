import { type Instance, LAUNCHER } from './instance.ts'
import { run, until } from './run.ts'
import { Terminal, type TerminalOptions } from './terminal.ts'

/** The two ways in which a person comes to a worker: the words before the verb. */
export const WAYS = ['./hal9000', 'docker exec -it'] as const
export type Way = (typeof WAYS)[number]

/** A terminal in which a verb, or spawn, is called one of the two ways. */
export function openTerminal(
  instance: Instance,
  way: Way,
  words: readonly string[],
  size: TerminalOptions = {},
): Promise<Terminal> {
  const program = words[0] === 'spawn' ? words : ['coordinator', ...words]
  const command = way === './hal9000' ? [LAUNCHER, ...words] : ['docker', 'exec', '-it', instance.parent, ...program]
  return Terminal.open(command, { ...size, env: instance.env, cwd: instance.root })
}

/** Waits until so many are attached, by both counts. Milliseconds it took. */
export async function untilAttached(
  instance: Instance,
  worker: { id: string },
  count: number,
  within = 15_000,
): Promise<number> {
  const since = Date.now()
  const seen = async () => (await attachedTo(instance, worker)).every((one) => one === count)
  await until(`${count} are attached`, seen, within)
  return Date.now() - since
}

/** How many are attached to a worker, as the coordinator counts them and as the session in the worker does. */
async function attachedTo(instance: Instance, worker: { id: string }): Promise<[number | undefined, number]> {
  const clients = ['exec', worker.id, 'tmux', '-S', '/run/hal9000/user/tmux', 'list-clients', '-F', 'client']
  const [workers, inside] = await Promise.all([instance.list(), run('docker', clients)])
  const counted = workers.find(({ id }) => id === worker.id)?.attached
  return [counted, inside.stdout.split('\n').filter((line) => line === 'client').length]
}
