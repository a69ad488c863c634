import { expect, test } from 'vitest'
import { LogPlace } from '../contract/request.ts'
import type { Entry } from '../state/worker-log.ts'
import { Place } from './log-place.ts'

/** Of the first three, two are of one line; then one of each output at one time. */
const LOG = ['1 stdout a', '2 stdout b', '2 stdout c', '2 stderr d', '3 stdout e', '3 stdout f', '4 stderr g'].map(
  entry,
)

function entry(text: string): Entry {
  const [second, output, data = ''] = text.split(' ')
  const at = `2030-01-01T00:00:0${second}.123456789Z`
  return { at, output: output === 'stderr' ? 'stderr' : 'stdout', data: Buffer.from(data) }
}

async function* log(): AsyncGenerator<Entry> {
  yield* LOG
}

test.each(LOG.map((_, index) => index))(
  'a reader that was cut off after %i entries reads the rest, once',
  async (count) => {
    let place = Place.beginning('')
    const texts: string[] = []
    let left = count
    for (const more of [count, LOG.length]) {
      left = more
      if (left === 0) continue
      for await (const { data } of place.of(place.after(log()))) {
        texts.push(data.toString())
        left -= 1
        if (left === 0) break
      }
      // Over the wire, to another coordinator.
      place = Place.from(LogPlace.parse(place.toString()))
    }
    expect(texts.join('')).toBe('abcdefg')
  },
)

test('nothing is read of which the place says that it is long past', () => {
  expect(Place.beginning('').since).toBeUndefined()
  const place = Place.from('2030-01-01T00:00:05.123456789Z,2,2030-01-01T00:00:09.5Z,1')
  expect(place.since).toBe(Date.UTC(2030, 0, 1, 0, 0, 8, 500))
  // Where a follower of the last lines began there is no Z.
  expect(Place.from('2030-01-01T00:00:05.123,0,,0').since).toBe(Date.UTC(2030, 0, 1, 0, 0, 4, 123))
})
