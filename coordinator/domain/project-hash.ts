import { createHash } from 'node:crypto'
import type { InstanceName, ProjectPath, WorkerName } from '../contract/names.ts'

/** First 8 hexadecimal digits of SHA-256 of the project's real path: tells equal names in two projects apart. */
export function projectHash(project: ProjectPath | string): string {
  return createHash('sha256').update(project).digest('hex').slice(0, 8)
}

/** The container's name is the lock on (host, project, name): two can not have it. */
export function containerName(instance: InstanceName, project: ProjectPath, name: WorkerName): string {
  return `${instance}-${projectHash(project)}-${name}`
}
