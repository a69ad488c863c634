import type { SpawnOrder } from './spawn-order.ts'

/** Version of the assignment; the worker refuses another one. */
const PROTOCOL = '1'

/**
 * What a started worker is told over its stdin: NUL-terminated `key=value` entries, `end=` last, so that a
 * coordinator which dies half-way leaves a worker that knows it was never assigned.
 * The reader is worker/entrypoint.
 */
export function encodeAssignment(order: SpawnOrder): Buffer {
  const entries: [string, string][] = [
    ['hal9000', PROTOCOL],
    ['name', order.name],
    ['project', order.project.path],
    ['identity', order.project.identity],
    ['uid', String(order.project.uid)],
    ['gid', String(order.project.gid)],
    ['mode', order.io],
    ['size', `${order.size.columns}x${order.size.rows}`],
    ['term', order.term],
    ...Object.entries(order.env).map(([key, value]): [string, string] => ['env', `${key}=${value}`]),
    ...Object.entries(order.secrets).map(([key, value]): [string, string] => ['secret', `${key}=${value}`]),
    ...order.command.map((word): [string, string] => ['arg', word]),
    ['end', ''],
  ]
  return Buffer.from(entries.map(([key, value]) => `${key}=${value}\0`).join(''))
}
