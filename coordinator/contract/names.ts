import { z } from 'zod'

/** The rule for a worker's name; also what the message says when it is broken. */
const WORKER_NAME_RULE = '1 to 40 of the characters a-z A-Z 0-9 _ . - and the first a letter or digit'

/** A worker's name within its project. Refused, never repaired. */
export const WorkerName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,39}$/, { error: `a name is ${WORKER_NAME_RULE}` })
  .brand<'WorkerName'>()
export type WorkerName = z.infer<typeof WorkerName>

/**
 * A request's id, made by the client. It is a BullMQ job id too: those must not contain ":" nor be all digits
 * (BullMQ, "Job Ids"), hence the leading letter.
 */
export const RequestId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{7,63}$/, { error: 'a request id is a letter and 7 to 63 of a-z 0-9 -' })
  .brand<'RequestId'>()
export type RequestId = z.infer<typeof RequestId>

/** An absolute, physical (no links, no dot segments) path of a project directory on the host. */
export const ProjectPath = z.string().startsWith('/').max(4096).brand<'ProjectPath'>()
export type ProjectPath = z.infer<typeof ProjectPath>

/** A container's full id, 64 hexadecimal digits. */
export const ContainerId = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<'ContainerId'>()
export type ContainerId = z.infer<typeof ContainerId>

/** An instance's name: prefix of every container, network and volume of one deployment (HAL9000_NAME). */
export const InstanceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,30}$/, {
    error: 'HAL9000_NAME is 1 to 31 of a-z 0-9 _ . - and the first a letter or digit',
  })
  .brand<'InstanceName'>()
export type InstanceName = z.infer<typeof InstanceName>
