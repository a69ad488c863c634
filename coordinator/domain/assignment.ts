import { Failure } from '../contract/failure.ts'
import type { SpawnOrder } from './spawn-order.ts'

/** Version of the assignment; the worker refuses another one. */
const PROTOCOL = '1'

/**
 * What a started worker is told over its stdin: NUL-terminated `key=value` entries, `end=` last, so that a
 * coordinator which dies half-way leaves a worker that knows it was never assigned. The command's input, if it has one,
 * comes early, as raw bytes behind the entry that tells their number.
 * The reader is worker/assignment.sh. Fails when `input` is not what the order announces.
 */
export function encodeAssignment(order: SpawnOrder, input: Buffer | null = null): Buffer {
  // A command must never read an empty or a shorter input for the one that it was given.
  if ((input?.length ?? null) !== order.input) {
    throw new Failure('unexpected', `The input of worker "${order.name}" is not as long as it was announced.`)
  }
  return Buffer.concat([
    encode([['hal9000', PROTOCOL]]),
    ...(input === null ? [] : [encode([['input', String(input.length)]]), input]),
    encode([
      ['name', order.name],
      ['project', order.project.path],
      ['identity', order.project.identity],
      ['uid', String(order.project.uid)],
      ['gid', String(order.project.gid)],
      ['mode', order.io],
      ['size', `${order.size.columns}x${order.size.rows}`],
      ['term', order.term],
      ...Object.entries(order.env).map(([key, value]): Entry => ['env', `${key}=${value}`]),
      ...Object.entries(order.secrets).map(([key, value]): Entry => ['secret', `${key}=${value}`]),
      ...order.command.map((word): Entry => ['arg', word]),
      ['end', ''],
    ]),
  ])
}

type Entry = [key: string, value: string]

function encode(entries: readonly Entry[]): Buffer {
  return Buffer.from(entries.map(([key, value]) => `${key}=${value}\0`).join(''))
}
