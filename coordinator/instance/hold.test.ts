import { expect, test } from 'vitest'
import { Hold, type Loss } from './hold.ts'

/** A hold whose sources say what `world` says at that moment. */
function holdOf(world: { intact?: boolean | undefined; greatest?: number | undefined; clock?: number }) {
  const losses: Loss[] = []
  let looks = 0
  const hold = new Hold({
    epoch: 5,
    lockIntact: async () => {
      looks += 1
      return 'intact' in world ? world.intact : true
    },
    greatestEpoch: async () => world.greatest,
    onLoss: (loss) => losses.push(loss),
    now: () => world.clock ?? 0,
  })
  return { hold, losses, looks: () => looks }
}

/** Whether a promise settles before everything else that is due. */
async function settles(promise: Promise<void>): Promise<boolean> {
  const later = new Promise<false>((resolve) => {
    setTimeout(() => resolve(false), 20)
  })
  return await Promise.race([promise.then(() => true as const), later])
}

test('a look is a word for a few seconds, and then there is another one', async () => {
  const world = { clock: 1_000, greatest: 5 }
  const { hold, looks } = holdOf(world)
  await hold.confirm()
  world.clock += 4_000
  await hold.confirm()
  expect(looks()).toBe(1)
  world.clock += 1
  await hold.confirm()
  expect(looks()).toBe(2)
})

test('what many ask for at once is one look', async () => {
  const { hold, looks } = holdOf({})
  await Promise.all([hold.confirm(), hold.confirm(), hold.confirm()])
  expect(looks()).toBe(1)
})

test.each([
  ['its lock file is gone', { intact: false }, 'lock'],
  ['Redis knows a greater epoch', { greatest: 6 }, 'epoch'],
  ['both: the lock is the cause', { intact: false, greatest: 6 }, 'lock'],
])('one that wakes when %s does nothing more', async (_, world, lost) => {
  const now: { clock: number; intact?: boolean; greatest?: number } = { clock: 0, greatest: 5 }
  const { hold, losses } = holdOf(now)
  await hold.confirm()
  Object.assign(now, world, { clock: 60_000 })
  expect(await settles(hold.confirm())).toBe(false)
  expect(losses).toMatchObject([{ lost }])
  expect(await settles(hold.confirm())).toBe(false)
  expect(losses).toHaveLength(1)
})

test('what cannot be told is no loss, and neither is a lesser epoch', async () => {
  const { hold, losses } = holdOf({ intact: undefined, greatest: undefined })
  expect(await settles(hold.confirm())).toBe(true)
  expect(await settles(holdOf({ greatest: 4 }).hold.confirm())).toBe(true)
  expect(losses).toEqual([])
})

test('a doubt has the next effect look first, and one that comes while it is looked at has it looked at again', async () => {
  const { hold, looks } = holdOf({ greatest: 5 })
  await hold.confirm()
  hold.doubt()
  const looking = hold.confirm()
  hold.doubt()
  await looking
  expect(looks()).toBe(2)
  await hold.confirm()
  expect(looks()).toBe(3)
  await hold.confirm()
  expect(looks()).toBe(3)
})

test('a Redis that does not answer holds nobody up for long', async () => {
  const { hold, losses } = holdOf({})
  const silent = new Hold({
    epoch: 5,
    lockIntact: async () => true,
    greatestEpoch: () => new Promise(() => {}),
    onLoss: (loss) => losses.push(loss),
    now: () => 0,
  })
  await silent.confirm()
  await hold.confirm()
  expect(losses).toEqual([])
})
