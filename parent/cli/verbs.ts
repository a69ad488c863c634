import { watch } from '../dashboard/watch.ts'
import type { Register } from './program.ts'
import { attach } from './verbs/attach.ts'
import { count } from './verbs/count.ts'
import { daemon } from './verbs/daemon.ts'
import { events } from './verbs/events.ts'
import { exec } from './verbs/exec.ts'
import { hangUp } from './verbs/hang-up.ts'
import { inspect } from './verbs/inspect.ts'
import { list } from './verbs/list.ts'
import { logs } from './verbs/logs.ts'
import { queue } from './verbs/queue.ts'
import { ready } from './verbs/ready.ts'
import { reconcile } from './verbs/reconcile.ts'
import { resize } from './verbs/resize.ts'
import { rm } from './verbs/rm.ts'
import { shell } from './verbs/shell.ts'
import { stats } from './verbs/stats.ts'
import { status } from './verbs/status.ts'
import { stop } from './verbs/stop.ts'
import { stopAll } from './verbs/stop-all.ts'
import { wait } from './verbs/wait.ts'

/** The verbs of `coordinator`; a new one is a file in verbs/ and its name here. */
const VERBS: readonly Register[] = [
  attach,
  count,
  daemon,
  events,
  exec,
  hangUp,
  inspect,
  list,
  logs,
  queue,
  ready,
  reconcile,
  resize,
  rm,
  shell,
  stats,
  status,
  stop,
  stopAll,
  wait,
  watch,
]

export const coordinatorVerbs: Register = (program, context) => {
  program.description('See and steer the workers of this host.')
  for (const register of VERBS) register(program, context)
}
