import type { ContainerId } from '../contract/names.ts'

/**
 * A container whose network others have joined: since when it runs (milliseconds since the epoch), or that it does not.
 * Each start of it makes a new network; who joined before is left in the old one, with nothing but the loopback.
 */
export type NetworkOwner = number | 'not-running' | 'gone'

/** A container that may have joined a network: whose, and since when its command runs. */
type Joined = { networkOwner: ContainerId | null; readyAt: number }

/**
 * Why a running container has no network any more; undefined while it has, as far as `owners` tell. A loss is for good:
 * nothing but a new container joins the new network. By the host's clock, which both times are of. (An owner that is started
 * again between a worker's start and its readiness, some 30 ms, is taken for the one that it joined.)
 */
export function networkLoss(
  { networkOwner, readyAt }: Joined,
  owners: ReadonlyMap<ContainerId, NetworkOwner>,
): string | undefined {
  const owner = networkOwner === null ? undefined : owners.get(networkOwner)
  if (networkOwner === null || owner === undefined) return undefined
  const which = `the container that owns its network (${networkOwner.slice(0, 12)})`
  switch (owner) {
    case 'gone':
      return `${which} is gone`
    case 'not-running':
      return `${which} does not run`
    default:
      return owner > readyAt ? `${which} was started again after it` : undefined
  }
}
