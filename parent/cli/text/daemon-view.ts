import type { Enforcement } from '../../../coordinator/instance/enforcement.ts'
import type { Service, Standing } from '../../../coordinator/instance/standing.ts'
import { fields } from './fields.ts'
import { printable } from './printable.ts'

/** `coordinator daemon status`, as `--json` has it. */
export type DaemonStatus = Standing & {
  instance: string
  /** Why the state directory takes nothing, and what else is not as it should be. */
  problems: string[]
  lock: 'held' | 'free' | 'missing'
  supervisor: Service | null
  enforceSingleDaemonProcess: Enforcement
}

/** `coordinator daemon status` for people. */
export function daemonView(status: DaemonStatus): string {
  const { owner, supervisor, enforceSingleDaemonProcess: option } = status
  return fields([
    ['daemon', `${status.state}: ${printable(status.because)}`],
    ...status.problems.map((problem) => ['problem', printable(problem)] as const),
    ...(owner === null
      ? []
      : [
          ['owner', `process ${owner.pid}, epoch ${owner.epoch}, version ${printable(owner.version)}`] as const,
          ['since', printable(owner.startedAt)] as const,
        ]),
    ['lock', status.lock],
    ['supervisor', supervisorText(supervisor)],
    ['single daemon', `${option.enforced ? 'enforced' : 'not enforced'} (${printable(option.because)})`],
  ])
}

function supervisorText(service: Service | null): string {
  if (service === null) return 'none here'
  if (service.held) return service.up ? 'keeps it down as soon as it ends' : 'keeps it down until it is started'
  if (service.up) return `runs process ${service.pid}`
  return service.wanted ? 'is about to start it' : 'does not start it'
}
