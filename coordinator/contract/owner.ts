/**
 * The coordinator that holds an instance: what it answers to a handshake, and what its owner record says. `pid` is somebody
 * only together with the three below it: start time, boot and pid namespace.
 */
export type Owner = {
  instance: string
  /** Grows with every holder; Redis refuses writes of a lesser one. */
  epoch: number
  pid: number
  /** Field 22 of /proc/PID/stat, proc(5): clock ticks since the boot. */
  startTime: number
  bootId: string
  /** Such as `pid:[4026531836]`. */
  pidNamespace: string
  /** ISO 8601 UTC. */
  startedAt: string
  version: string
}
