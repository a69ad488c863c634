import { posix } from 'node:path'
import { Failure } from '../contract/failure.ts'
import { ProjectPath } from '../contract/names.ts'
import { checkProject, isWithin, type PolicyContext } from '../domain/project-policy.ts'
import type { Project } from '../domain/spawn-order.ts'
import { type Found, lookAt } from './directory.ts'
import { type Mount, mountOf } from './mounts.ts'
import { PROJECT_FILE, type ProjectFile } from './project-file.ts'

export type ProjectContext = PolicyContext & {
  /** Host directories that are mounted read-only at the same path; none in a bare parent. */
  roots: readonly string[]
  /** Mount points of the parent's own, which look like host directories and are not. */
  own: readonly string[]
  mounts: () => Promise<readonly Mount[]>
  /** Looks at a host path from a container that sees the host's file system. */
  probe: (path: string) => Promise<Found>
}

/**
 * The project directory that a person named: absolute, real, a directory, allowed, and its owner.
 * Fails with `invalid-value`, `project-missing` or `refused-by-policy`; the hint says what would allow it.
 */
export async function resolveProject(
  named: string,
  context: ProjectContext,
): Promise<{ project: Project; projectFile: string | null }> {
  if (!named.startsWith('/')) {
    throw new Failure('invalid-value', `The project "${named}" is not an absolute path.`, {
      hint: 'give the directory as it is on the host, such as /home/me/project',
    })
  }
  const asked = trimmed(posix.normalize(named))
  // Said before anything is looked at, and again about where the path leads.
  checkProject(asked, context)
  const found = context.roots.length > 0 ? await lookInRoots(asked, context) : await context.probe(asked)
  if (found.type === 'missing') {
    throw new Failure('project-missing', `The project directory ${asked} does not exist on the host.`, {
      hint: `mkdir -p ${quoted(asked)}`,
    })
  }
  if (found.type === 'other') {
    throw new Failure('invalid-value', `The project ${found.path} is not a directory.`, {
      hint: 'name the directory it is in',
    })
  }
  checkProject(found.path, context)
  const { uid, gid, identity, projectFile } = found
  const project = { path: ProjectPath.parse(found.path), uid, gid, identity }
  return { project, projectFile: textOf(projectFile, project.path) }
}

/** A file that is there and cannot be used is told, like one that is not understood. */
function textOf(file: ProjectFile, project: string): string | null {
  if (file === null || 'text' in file) return file?.text ?? null
  throw new Failure('invalid-value', `${posix.join(project, PROJECT_FILE)} ${file.unusable}.`, {
    hint: 'make it a file of the project, of at most 64 KiB, or remove it',
  })
}

async function lookInRoots(asked: string, context: ProjectContext): Promise<Found> {
  if (!context.roots.some((root) => isWithin(asked, root))) throw outside(asked)
  const found = await lookAt(asked)
  if (found.type === 'missing') return found
  const { path } = found
  checkProject(path, context)
  // A link may lead out of the roots, into the parent's own files: the mount that the real path is on decides, not its text.
  const mount = mountOf(path, await context.mounts())
  const inRoot = mount !== undefined && context.roots.some((root) => isWithin(mount.mountPoint, root))
  const isOwn = context.own.some((own) => isWithin(path, own) || isWithin(own, path))
  if (!inRoot || isOwn) throw outside(path)
  return found
}

function outside(path: string): Failure {
  return new Failure('refused-by-policy', `${path} is not in a directory that workers may use.`, {
    hint: `allow it on the host with: ./hal9000 up --projects ${quoted(path)}`,
  })
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** Quoted for a shell where that is needed. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}
