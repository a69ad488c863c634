import type { Instance } from './instance.ts'

export type Process = { pid: number; parent: number; state: string; name: string; command: string }

/** The processes inside the parent, but for the one that looks. Fields of proc(5), stat. */
export async function processes(instance: Instance): Promise<Process[]> {
  const lines = await instance.ask('exec', instance.parent, 'sh', '-c', LOOK)
  return lines.split('\n').flatMap((line) => {
    const [, pid, name = '', state = '', parent, command = ''] =
      /^(\d+) \((.*)\) (\S) (\d+) [^|]*\|(.*)$/.exec(line) ?? []
    return pid === undefined || command.includes('cmdline')
      ? []
      : [{ pid: Number(pid), parent: Number(parent), state, name, command: command.trim() }]
  })
}

/** The main process of a service of the parent; undefined while it is down. */
export async function service(instance: Instance, name: string): Promise<Process | undefined> {
  const pid = Number(
    await instance.ask('exec', instance.parent, 's6-svstat', '-o', 'pid', `/run/hal9000/service/${name}`),
  )
  return (await processes(instance)).find((one) => one.pid === pid)
}

export async function signal(instance: Instance, name: string, pid: number): Promise<void> {
  await instance.ask('exec', instance.parent, 'sh', '-c', `kill -${name} ${pid}`)
}

/** A process may end while it is looked at. */
const LOOK = `for one in /proc/[0-9]*; do
  { read -r stat <"$one/stat"; } 2>/dev/null || continue
  printf '%s|%s\\n' "$stat" "$(tr '\\0\\n' '  ' <"$one/cmdline" 2>/dev/null)"
done`
