import { Failure } from '../../contract/failure.ts'
import { deniedBecause, isWithin } from '../project-policy.ts'

/**
 * What the parent itself is made of. A root that is one of these, or contains one, would be mounted over it; a
 * directory below them (such as /usr/src/app) may be a root.
 */
const PARENT_PARTS = ['/bin', '/lib', '/lib64', '/sbin', '/tmp', '/usr/bin', '/usr/lib', '/usr/local/bin', '/usr/sbin']

export type RootsQuestion = {
  /** What an earlier `up` recorded; undefined on the first. */
  remembered: readonly string[] | undefined
  /** What this `up` was told to add. Physical paths. */
  added: readonly string[]
  /** Where `up` was called: the top of the git clone, or the directory. */
  project: string
  /** The user's home directory. */
  home: string
  /** The engine's data directory on the host. */
  engineDirectory: string
}

/**
 * The directories to mount into the parent: what is remembered (at first: the home directory and the current project)
 * and what is added, outermost only, sorted. Fails with `refused-by-policy` on an added directory that may not be a
 * root; a default that may not is left out, because nobody asked for it.
 */
export function chooseRoots(question: RootsQuestion): string[] {
  const { remembered, added, project, home } = question
  const refused = added.flatMap((path) => refusal(path, question) ?? [])
  if (refused[0] !== undefined) throw refused[0]
  const base = remembered ?? [home, project].filter((path) => refusal(path, question) === undefined)
  return outermost([...base, ...added])
}

function refusal(path: string, { home, engineDirectory }: RootsQuestion): Failure | undefined {
  const because =
    parentPart(path) ?? (isHome(path, home) ? undefined : deniedBecause(path, { engineDirectory, homes: [home] }))
  if (because === undefined) return undefined
  return new Failure('refused-by-policy', `The directory ${path} cannot be a project root: ${because}.`, {
    hint: './hal9000 up --projects DIR, with a directory that holds your projects only',
  })
}

function parentPart(path: string): string | undefined {
  const part = path === '/' ? undefined : PARENT_PARTS.find((part) => isWithin(part, path))
  return part === undefined ? undefined : `mounted into the parent it would cover the parent's own ${part}`
}

/** A home directory may be a root though it may not be a project: the projects are below it. */
function isHome(path: string, home: string): boolean {
  return path !== '/' && (path === home || path === '/root' || /^\/(home|Users)\/[^/]+$/.test(path))
}

function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)].sort()
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)))
}
