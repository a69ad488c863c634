import { succeed } from './run.ts'

/** Containers, networks and volumes that have an instance's name in theirs, labelled or not. */
export async function traces(instance: string): Promise<string[]> {
  const filter = ['--filter', `name=${instance}`]
  const found = await Promise.all([
    succeed('docker', ['ps', '-a', ...filter, '--format', 'container {{.Names}}']),
    succeed('docker', ['network', 'ls', ...filter, '--format', 'network {{.Name}}']),
    succeed('docker', ['volume', 'ls', ...filter, '--format', 'volume {{.Name}}']),
  ])
  return found.flatMap((lines) => lines.split('\n')).filter((line) => line !== '')
}

/** One look at a container, in the words of docker's --format. */
export function shown(container: string, format: string): Promise<string> {
  return succeed('docker', ['container', 'inspect', '--format', format, container])
}
