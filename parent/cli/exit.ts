import { FAILURES, type FailureShape } from '../../coordinator/contract/failure.ts'
import { howItEnded, limitsMet } from '../../coordinator/contract/end-words.ts'
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
      message: endLines(detail)[0],
      hint: `coordinator inspect ${detail.worker.name}`,
    },
  }
}

/** What is said of an end, a line each: how it was, and which limits were met. The first: `Worker "w1" ended: …` */
export function endLines({ worker, exit }: WorkerDetail): [string, ...string[]] {
  const more = exit?.message ? ` ${printable(exit.message)}` : ''
  return [
    `Worker "${printable(worker.name)}" ended: ${howItEnded(exit)}.${more}`,
    ...(exit === null ? [] : limitsMet(worker, exit)),
  ]
}

/** Worth a word: everything but a command that simply came to its end. */
export function isRemarkable({ worker, exit }: WorkerDetail): boolean {
  if (exit === null || exit.exitCode === null || exit.reason !== 'exited') return true
  return exit.signal !== null || exit.message !== null || limitsMet(worker, exit).length > 0
}
