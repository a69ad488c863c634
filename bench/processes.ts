import { readFile } from 'node:fs/promises'
import type { Stage } from './stage.ts'

export type Part = 'coordinator' | 'redis' | 'supervisor' | 'dashboard'
export type Process = { pid: number; part: Part }

/** The parent's processes by the part of the product they are; pids as the host has them. */
export async function processesOf(stage: Stage): Promise<Process[]> {
  const { stdout } = await stage.docker(['top', stage.parent, '-eo', 'pid,ppid,args'])
  const lines = stdout.trim().split('\n').slice(1)
  return lines.map((line) => {
    const [pid, , ...words] = line.trim().split(/\s+/)
    return { pid: Number(pid), part: partOf(words.join(' ')) }
  })
}

/** What is none of the others is the dashboard's, or was started by it. */
function partOf(command: string): Part {
  if (command.includes('daemon.cjs')) return 'coordinator'
  if (command.startsWith('redis-server')) return 'redis'
  return command.startsWith('s6-') ? 'supervisor' : 'dashboard'
}

/** Memory in MB (10⁶ bytes): resident, and with shared pages divided among those who share them. smaps_rollup, proc(5). */
export async function memoryOf(pid: number): Promise<{ rss: number; pss: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6
  return { rss: field('Rss'), pss: field('Pss') }
}

/** Processor time of a process and of its children that ended, in ticks of 10 ms. Fields 14 to 17 of stat, proc(5). */
export async function ticksOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ') // From field 3 on: the name may hold anything.
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
}

/** Processor time of all that ever ran in the parent, health checks too, in milliseconds. */
export async function containerTime(pid: number): Promise<number> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n')
  const paths = lines.map((line) => line.split(':'))
  const v1 = paths.find(([, controllers]) => controllers?.split(',').includes('cpuacct'))
  if (v1) return Number(await readFile(`/sys/fs/cgroup/cpuacct${v1[2] ?? ''}/cpuacct.usage`, 'utf8')) / 1e6
  const text = await readFile(`/sys/fs/cgroup${paths[0]?.[2] ?? ''}/cpu.stat`, 'utf8')
  return Number(/^usage_usec (\d+)/m.exec(text)?.[1]) / 1e3
}
