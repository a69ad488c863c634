import { Failure } from '../../../coordinator/contract/failure.ts'
import { parseDuration } from '../../../coordinator/contract/units.ts'

const ISO_DATE = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/** "10m" (that long ago) or an ISO 8601 time → milliseconds since the epoch. Throws `invalid-value`. */
export function parseSince(text: string, now: number): number {
  const ago = parseDuration(text)
  if (ago !== undefined) return Math.max(0, now - ago)
  const time = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time) || time < 0) {
    throw new Failure(
      'invalid-value',
      `"${text}" is neither a duration such as 10m nor a time such as 2030-01-31T12:00:00Z.`,
    )
  }
  return time
}
