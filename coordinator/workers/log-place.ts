import type { LogPlace } from '../contract/request.ts'
import type { Entry } from '../state/worker-log.ts'

type Read = { at: string; count: number }

/** The outputs' times may be this much out of order. Milliseconds. */
const SKEW = 1_000

/**
 * Where a reader is in a log: parts of one line share their time, so they are counted. Of each output on its own, because
 * the engine takes the times of the two before it puts them in a row.
 */
export class Place {
  readonly #read: Record<Entry['output'], Read>

  private constructor(stdout: Read, stderr: Read) {
    this.#read = { stdout, stderr }
  }

  /** At the beginning; nothing before the time is wanted. */
  static beginning(from: string): Place {
    return new Place({ at: from, count: 0 }, { at: from, count: 0 })
  }

  /** Where another reader was. */
  static from(text: LogPlace): Place {
    const [outAt = '', outCount, errAt = '', errCount] = text.split(',')
    return new Place({ at: outAt, count: Number(outCount) }, { at: errAt, count: Number(errCount) })
  }

  toString(): LogPlace {
    const { stdout, stderr } = this.#read
    return `${stdout.at},${stdout.count},${stderr.at},${stderr.count}`
  }

  /** A time before which there is nothing more to read; undefined where there is none. Milliseconds since the epoch. */
  get since(): number | undefined {
    const times = Object.values(this.#read).flatMap(({ at }) => (at === '' ? [] : [Date.parse(at.replace(/Z?$/, 'Z'))]))
    return times.length === 0 ? undefined : Math.max(0, ...times) - SKEW
  }

  /** Passes entries on, and is behind each when the next one is asked for. */
  async *of(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
    for await (const entry of entries) {
      const read = this.#read[entry.output]
      read.count = entry.at === read.at ? read.count + 1 : 1
      read.at = entry.at
      yield entry
    }
  }

  /** The entries of a log behind this place. */
  async *after(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
    const from = structuredClone(this.#read)
    const same = { stdout: 0, stderr: 0 }
    for await (const entry of entries) {
      const read = from[entry.output]
      if (entry.at < read.at) continue
      if (entry.at === read.at) {
        same[entry.output] += 1
        if (same[entry.output] <= read.count) continue
      }
      yield entry
    }
  }
}
