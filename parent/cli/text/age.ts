import { formatDuration } from '../../../coordinator/contract/units.ts'

/** "3 h": the largest unit says enough in a table. Milliseconds. */
export function age(milliseconds: number): string {
  return formatDuration(milliseconds).split(' ').slice(0, 2).join(' ')
}
