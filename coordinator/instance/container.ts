/** What is looked at to tell whether this is the inside of a container. */
export type Surface = {
  environment: Record<string, string | undefined>
  uid: number
  /** Those of MARKER_FILES that are there. */
  files: readonly string[]
  /** /proc/self/cgroup. */
  cgroup: string
  /** /proc/self/mountinfo. */
  mountinfo: string
}

export type Indicator = { indicator: string; score: number }

/** The answer and how it came about: `container` is `score` >= `threshold`. */
export type ContainerGuess = { container: boolean; score: number; threshold: number; evidence: Indicator[] }

/** One strong indicator is enough, of the weaker ones it takes two. */
const THRESHOLD = 3

/** Left by Docker, by Podman, and by the agents' own images. */
export const MARKER_FILES = ['/.dockerenv', '/run/.containerenv', '/workspace/.claude'] as const

/** A container's own directory in the tree of control groups: the name of an engine and an id, not a service of the host. */
const CONTAINER_GROUP =
  /\/(?:docker|libpod|crio|cri-containerd)[-/][0-9a-f]{12,}|\/kubepods[-/.]|\/lxc(?:\.payload)?[./]/

/**
 * Whether this is a container: indicators with a score each, and how they add up. A guess decides nothing but a default
 * (enforcement.ts), and says what it is made of.
 */
export function guessContainer({ environment, uid, files, cgroup, mountinfo }: Surface): ContainerGuess {
  const variable = (name: string, ...values: string[]): boolean => values.includes(environment[name] ?? '')
  const indicators: (Indicator & { seen: boolean })[] = [
    { indicator: 'CLAUDECODE=1', score: 3, seen: variable('CLAUDECODE', '1') },
    { indicator: 'CLAUDE_CODE_ENTRYPOINT=cli', score: 3, seen: variable('CLAUDE_CODE_ENTRYPOINT', 'cli') },
    ...MARKER_FILES.map((file) => ({ indicator: file, score: 3, seen: files.includes(file) })),
    { indicator: 'DEVCONTAINER=true', score: 2, seen: variable('DEVCONTAINER', 'true') },
    { indicator: 'IS_SANDBOX=1', score: 2, seen: variable('IS_SANDBOX', '1') },
    {
      indicator: `container=${environment['container'] ?? ''}`,
      score: 2,
      seen: variable('container', 'docker', 'podman'),
    },
    { indicator: 'a control group of a container', score: 2, seen: CONTAINER_GROUP.test(cgroup) },
    { indicator: 'an overlay as root file system', score: 2, seen: rootIsOverlay(mountinfo) },
    { indicator: 'user id 0', score: 1, seen: uid === 0 },
  ]
  const evidence = indicators.filter(({ seen }) => seen).map(({ indicator, score }) => ({ indicator, score }))
  const score = evidence.reduce((sum, one) => sum + one.score, 0)
  return { container: score >= THRESHOLD, score, threshold: THRESHOLD, evidence }
}

/** proc(5), mountinfo: field 5 is the mount point; the type follows the " - ". */
function rootIsOverlay(mountinfo: string): boolean {
  return mountinfo.split('\n').some((line) => {
    const [before = '', after = ''] = line.split(' - ')
    return before.split(' ')[4] === '/' && /^(fuse-)?overlay(fs)? /.test(after)
  })
}
