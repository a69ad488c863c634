import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Failure } from '../contract/failure.ts'
import type { Image } from '../docker/engine.ts'
import { anOrder } from '../domain/testing.ts'
import { Pulls } from './pulls.ts'
import { aContext, type TestContext } from './testing.ts'

const REFERENCE = 'registry.example/worker'
const IMAGE = `${REFERENCE}:latest`
const THERE: Image = { id: 'sha256:2', labels: {} }

let base: TestContext
let pulls: Pulls
/** How often the engine was asked. */
let asked: number

beforeEach(async () => {
  base = await aContext()
  asked = 0
  const { engine } = base
  const pull = engine.pull.bind(engine)
  engine.pull = async (...words) => {
    asked += 1
    await pull(...words)
  }
  pulls = new Pulls(base, { stall: 60_000, most: 3 })
})
afterEach(async () => {
  vi.useRealTimers()
  await base[Symbol.asyncDispose]()
})

const stay = new AbortController().signal
const order = (name: string, image = REFERENCE) => anOrder(name, { image })
const told = (): string[] => base.events.map(({ kind, message }) => `${kind} ${message}`)

/** An image that comes when the test says so. */
function coming(): PromiseWithResolvers<Image> {
  const image = Promise.withResolvers<Image>()
  base.engine.registry.set(IMAGE, image.promise)
  return image
}

test('all that want one image, by whatever form of its name, cause one pull, and see how far it is', async () => {
  const image = coming()
  const all = [pulls.pull(order('w1'), stay), pulls.pull(order('w2'), stay), pulls.pull(order('w3', IMAGE), stay)]
  const seen = { image: IMAGE, layers: 1, done: 0, bytes: 0, total: 1 }
  await expect.poll(() => pulls.of(order('w3').request)).toEqual(seen)
  expect(pulls.of(order('w1').request)).toEqual(seen)
  image.resolve(THERE)
  await Promise.all(all)
  expect([asked, await base.engine.image(IMAGE)]).toEqual([1, THERE])
  expect(pulls.of(order('w1').request)).toBeUndefined()
  expect(told()).toEqual([`image-pulling ${IMAGE}`, `image-pulled ${IMAGE}`])
})

test('one that is taken back is told why, and the others get their image', async () => {
  const image = coming()
  const [first, second] = [pulls.pull(order('w1'), stay), pulls.pull(order('w2'), stay)]
  const failure = new Failure('interrupted', 'It was taken back.')
  expect(pulls.cancel(order('w1').request, failure)).toBe(true)
  await expect(first).rejects.toBe(failure)
  expect([pulls.cancel(order('w1').request, failure), pulls.of(order('w1').request)]).toEqual([false, undefined])
  image.resolve(THERE)
  await second
})

test('with the last that waits for it the pull ends, and the next one begins anew', async () => {
  coming()
  const leaving = new AbortController()
  const left = pulls.pull(order('w1'), leaving.signal)
  const failure = new Failure('interrupted', 'The client has gone.')
  await expect.poll(() => told()).toEqual([`image-pulling ${IMAGE}`])
  leaving.abort(failure)
  await expect(left).rejects.toBe(failure)
  await expect.poll(() => told().at(-1)).toBe(`image-pull-failed ${IMAGE}: nobody waits for it any more`)
  base.engine.registry.set(IMAGE, THERE)
  await pulls.pull(order('w2'), stay)
  expect(asked).toBe(2)
})

test('a pull without a sign of life for too long fails; one that moves may take as long as it needs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  coming()
  let heard = (): void => {}
  const { engine } = base
  const pull = engine.pull.bind(engine)
  engine.pull = async (reference, onProgress, signal) => {
    heard = () => onProgress({ layers: 1, done: 0, bytes: 1, total: 2 })
    await pull(reference, onProgress, signal)
  }
  const pulled = pulls.pull(order('w1'), stay)
  let failure: unknown
  pulled.catch((error: unknown) => (failure = error))
  for (let minutes = 0; minutes < 10; minutes += 1) {
    await vi.advanceTimersByTimeAsync(59_000)
    heard()
  }
  await vi.advanceTimersByTimeAsync(59_000)
  expect(failure).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(failure).toMatchObject({
    code: 'pull-failed',
    exitCode: 5,
    message: `Image "${IMAGE}" could not be pulled: nothing came for 1 m (HAL9000_PULL_STALL).`,
  })
  expect(told().at(-1)).toContain('image-pull-failed')
})

test('what the engine says of a failure is passed on at once, and told', async () => {
  await expect(pulls.pull(order('w1'), stay)).rejects.toMatchObject({ code: 'pull-failed', exitCode: 5 })
  expect(told().at(-1)).toBe(`image-pull-failed Image "${IMAGE}" could not be pulled: manifest unknown`)
})

test('only so many wait for images at once', async () => {
  const image = coming()
  const three = ['w1', 'w2', 'w3'].map((name) => pulls.pull(order(name), stay))
  await expect(pulls.pull(order('w4'), stay)).rejects.toMatchObject({ code: 'queue-full', exitCode: 8 })
  image.resolve(THERE)
  await Promise.all(three)
})
