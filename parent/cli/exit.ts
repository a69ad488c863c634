import { FAILURES, type FailureShape } from '../../coordinator/contract/failure.ts'
import type { ExitRecord, Worker, WorkerDetail } from '../../coordinator/contract/worker.ts'
import { printable } from './text/printable.ts'

/** An end as `--json` shows it: `source` says whether `exitCode` is the command's own or ours. */
export type End = {
  worker: Worker
  exit: ExitRecord | null
  exitCode: number
  source: 'command' | 'hal9000'
  error?: FailureShape
}

/** What a finished worker's client exits with: the command's own code, or 125 where there is none. */
export function endOf(detail: WorkerDetail): End {
  const exitCode = detail.exit?.exitCode ?? null
  if (exitCode !== null) return { worker: detail.worker, exit: detail.exit, exitCode, source: 'command' }
  const { exitCode: ours } = FAILURES['worker-failed']
  return {
    worker: detail.worker,
    exit: detail.exit,
    exitCode: ours,
    source: 'hal9000',
    error: {
      code: 'worker-failed',
      exitCode: ours,
      message: endSentence(detail),
      hint: `coordinator inspect ${detail.worker.name}`,
    },
  }
}

/** One sentence on how a worker ended: `Worker "w1" ended: out of memory (exit code 137).` */
export function endSentence({ worker, exit }: WorkerDetail): string {
  const code = exit?.exitCode ?? null
  const how = [
    exit === null ? 'nothing is recorded of its end' : REASON[exit.reason],
    code === null ? 'its exit code is not known' : `exit code ${code}`,
    ...(exit?.signal ? [`signal ${exit.signal}`] : []),
  ]
  const more = exit?.message ? ` ${printable(exit.message)}` : ''
  return `Worker "${printable(worker.name)}" ended: ${how[0]} (${how.slice(1).join(', ')}).${more}`
}

/** Worth a line of its own: everything but a command that simply came to its end. */
export function isRemarkable({ exit }: WorkerDetail): boolean {
  return exit === null || exit.exitCode === null || exit.reason !== 'exited' || exit.oomKilled
}

const REASON: Record<ExitRecord['reason'], string> = {
  exited: 'the command ended',
  stopped: 'it was stopped',
  oom: 'it ran out of memory',
  timeout: 'its time was over',
  'network-lost': 'its network was lost',
  'never-assigned': 'it never got its assignment',
  'engine-stopped': 'the Docker engine stopped',
  cancelled: 'it was cancelled',
  failed: 'it failed',
}
