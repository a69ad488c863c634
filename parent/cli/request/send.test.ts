import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Pull } from '../../../coordinator/contract/pull.ts'
import { run } from '../program.ts'
import { json, testCoordinator, worker, type Answer } from '../testing/test-coordinator.ts'
import { testWorld, type TestWorld } from '../testing/test-world.ts'
import { spawn } from '../verbs/spawn.ts'

const MIB = 2 ** 20
const PULL: Pull = { image: 'ghcr.io/me/worker:1', layers: 7, done: 3, bytes: 12 * MIB, total: 45 * MIB }

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

/** A coordinator that pulls, as `pull` says, and answers the spawn when the test wants. */
class Pulling {
  pull: Pull | null = PULL
  asked = 0
  spawn: ServerResponse | undefined

  readonly answer: Answer = (seen, response) => {
    if (seen.method === 'POST') this.spawn = response
    else if (seen.path.startsWith('/v1/pulls/')) {
      this.asked += 1
      json(response, { pull: this.pull })
    }
  }

  /** The client asks once more. */
  async next(): Promise<void> {
    for (const before = this.asked; this.asked === before;) {
      await vi.advanceTimersByTimeAsync(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  done(): void {
    json(this.spawn as ServerResponse, {
      worker: worker(),
      run: { mode: 'detached', because: 'test' },
      notices: [],
      timings: {},
    })
  }
}

async function spawning(
  world: TestWorld,
  argv: string[],
  use: (coordinator: Pulling, answered: Promise<number>) => Promise<void>,
): Promise<number> {
  const pulling = new Pulling()
  await using coordinator = await testCoordinator(pulling.answer)
  Object.assign(world.env, { HAL9000_SOCKET: coordinator.socketPath })
  const answered = run('spawn', spawn, world, ['/proj', '-d', ...argv])
  await vi.waitFor(() => expect(pulling.spawn).toBeDefined())
  await use(pulling, answered)
  return await answered
}

test('a pull is told while it goes on, and the answer is as ever', async () => {
  const world = testWorld()
  const code = await spawning(world, [], async (coordinator) => {
    await coordinator.next()
    await vi.waitFor(() => expect(world.err()).toBe('pulling ghcr.io/me/worker:1: 12 MiB of 45 MiB, 3 of 7 layers\n'))
    coordinator.done()
  })
  expect([code, world.out()]).toEqual([0, 'w1\n'])
})

test('with --json nothing is told of it', async () => {
  const world = testWorld({}, true)
  await spawning(world, ['--json'], async (coordinator) => {
    await coordinator.next()
    coordinator.done()
  })
  expect([world.err(), JSON.parse(world.out()).worker.name]).toEqual(['', 'w1'])
})

test('Ctrl-C says that a request which waits for its image is given up, and else that it goes on', async () => {
  const pulls = testWorld()
  const code = await spawning(pulls, [], async (coordinator) => {
    await coordinator.next()
    // It is heard once its line is there.
    await vi.waitFor(() => expect(pulls.err()).toContain('pulling'))
    pulls.signals.emit('SIGINT')
  })
  expect(code).toBe(130)
  expect(pulls.err()).toContain('Image "ghcr.io/me/worker:1" was still being pulled: the request is given up.')
  const waits = testWorld()
  await spawning(waits, [], async (coordinator) => {
    coordinator.pull = null
    await coordinator.next()
    waits.signals.emit('SIGINT')
  })
  expect(waits.err()).toMatch(/goes on without us\.\nNext: coordinator list\n$/)
})

test('the time to be answered begins when the image is there', async () => {
  const world = testWorld()
  const code = await spawning(world, ['--wait', '5s'], async (coordinator, answered) => {
    for (let seconds = 0; seconds < 120; seconds += 1) await coordinator.next()
    coordinator.pull = null
    await coordinator.next()
    await vi.advanceTimersByTimeAsync(70_000)
    await answered
  })
  expect(code).toBe(4)
  expect(world.err()).toContain('The coordinator did not answer within 65 s.')
})
