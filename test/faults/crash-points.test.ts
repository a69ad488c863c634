import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance } from '../support/instance.ts'
import { type When, WHENS } from './fault.ts'
import { life } from './life.ts'
import { arm, boundaries, disarm, faultyParent } from './faulty-parent.ts'

/** How often the coordinator is killed at each place; in the short form once, at one of the three places of each boundary. */
const TIMES = process.env['HAL9000_LONG'] ? 25 : 1

let instance: Instance
let project: string

beforeAll(async () => {
  instance = await Instance.up(await faultyParent())
  project = await instance.project('work')
})
afterAll(() => instance.down())

test(
  'kill -9 of the coordinator at every boundary: nothing is lost, nothing happens twice, nothing is left over',
  async () => {
    // The first finds out what is remembered from then on, and is no boundary any more.
    expect(await life(instance, project, 'first')).toEqual([])
    const names = await boundaries(instance, async () => expect(await life(instance, project, 'trace')).toEqual([]))
    expect(names).toEqual(
      expect.arrayContaining(['docker POST /containers/create', 'redis moveToFinished', 'file rename sessions']),
    )
    const places = names.flatMap((at, index) => {
      const whens: readonly When[] = process.env['HAL9000_LONG'] ? WHENS : [WHENS[index % WHENS.length] ?? 'inside']
      return whens.map((when) => ({ at, when }))
    })
    const wrong: string[] = []
    let kills = 0
    for (let time = 0; time < TIMES; time += 1) {
      for (const [index, { at, when }] of places.entries()) {
        await arm(instance, { at, when, signal: 'SIGKILL' })
        const seen = await life(instance, project, `t${time}-${index}`)
        if (await disarm(instance)) kills += 1
        else seen.push('the fault never happened')
        wrong.push(...seen.map((what) => `${at}, ${when}: ${what}`))
      }
    }
    process.stderr.write(`${kills} kills at ${places.length} places: ${wrong.length} deviations\n`)
    expect(wrong).toEqual([])
  },
  4 * 3_600_000,
)
