import { isWithin } from '../domain/project-policy.ts'

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)), as far as it is used. */
export type Mount = { mountPoint: string; root: string; source: string }

export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [, , , root = '', mountPoint = ''] = before.split(' ')
      return { mountPoint: unescape(mountPoint), root: unescape(root), source: unescape(after.split(' ')[1] ?? '') }
    })
}

/** The mount that a path is on: the longest prefix; of equals the last, which lies on top. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts
    .filter((mount) => isWithin(path, mount.mountPoint))
    .reduce<Mount | undefined>(
      (best, mount) => (best && best.mountPoint.length > mount.mountPoint.length ? best : mount),
      undefined,
    )
}

/**
 * The container that owns our network namespace: its id is in the source of the /etc/hostname that the engine mounts into
 * everyone who joins (facts). In a deployment with a holder it is the holder, in a bare one the parent itself.
 */
export function networkOwner(mounts: readonly Mount[]): string | undefined {
  const hostname = mounts.find((mount) => mount.mountPoint === '/etc/hostname')
  // "//deleted": the owner has been removed, and the file is gone; it is still whose network we joined.
  return /\/containers\/([0-9a-f]{64})\/hostname(?:\/\/deleted)?$/.exec(hostname?.root ?? '')?.[1]
}

/** mountinfo writes space, tab, newline and backslash as \ooo. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)))
}
