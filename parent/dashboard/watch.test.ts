import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ROUTE } from '../../coordinator/contract/control.ts'
import type { Output } from '../cli/context.ts'
import { controlClient } from '../cli/control-client.ts'
import { watchTable } from './watch.ts'

test('the table says that the coordinator is away, and comes back with it', async () => {
  const { coordinator, terminal, watching, over } = await begin()
  await vi.waitFor(() => expect(terminal.text).toContain('the coordinator is not reachable, retrying'))
  await coordinator.start()
  await vi.waitFor(() => expect(terminal.text).toContain('No workers.'), { timeout: 3_000 })
  await coordinator.stop()
  await vi.waitFor(() => expect(terminal.text).toContain('the coordinator is not reachable, retrying'), {
    timeout: 3_000,
  })
  over.abort()
  await watching
})

test('without the engine it says what the coordinator says, and claims no more', async () => {
  const { coordinator, terminal, watching, over } = await begin()
  coordinator.trouble = 'The engine is away.'
  await coordinator.start()
  await vi.waitFor(() => expect(terminal.text).toContain('degraded: The engine is away.'), { timeout: 3_000 })
  expect(terminal.text).not.toMatch(/No workers|retrying/i)
  over.abort()
  await watching
})

test('a burst of events is drawn soon, and read once', async () => {
  const { coordinator, terminal, watching, over } = await begin()
  await coordinator.start()
  await vi.waitFor(() => expect(terminal.text).toContain('No workers.'), { timeout: 3_000 })
  await vi.waitFor(() => expect(coordinator.listeners).toHaveLength(1), { timeout: 3_000 })
  const before = coordinator.readings
  for (let event = 0; event < 10; event += 1) {
    coordinator.listeners[0]?.write('{}\n')
    await sleep(5)
  }
  await vi.waitFor(() => expect(coordinator.readings).toBe(before + 1), { timeout: 1_000 })
  over.abort()
  await watching
  expect(coordinator.readings).toBe(before + 1)
})

test('it ends when nobody reads any more', async () => {
  const { terminal, watching } = await begin()
  await vi.waitFor(() => expect(terminal.text).toContain('retrying'))
  terminal.gone = true
  await watching
})

/** The table on a terminal of 80×24, and a coordinator without workers that is not there yet. */
async function begin() {
  const directory = await mkdtemp(join(tmpdir(), 'watch-'))
  const coordinator = emptyCoordinator(join(directory, 'control.sock'))
  const terminal = { text: '', gone: false }
  const stdout: Output = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        terminal.text = String(chunk)
        done(terminal.gone ? Object.assign(new Error('gone'), { code: 'EIO' }) : null)
      },
    }),
    { isTTY: true, columns: 80, rows: 24 },
  )
  const over = new AbortController()
  const control = controlClient({ socketPath: join(directory, 'control.sock'), now: Date.now })
  const watching = watchTable({ control, stdout, env: { NO_COLOR: '1' }, now: Date.now }, over.signal)
  onTestFinished(async () => {
    over.abort()
    await coordinator.stop()
    await rm(directory, { recursive: true })
  })
  return { coordinator, terminal, watching, over }
}

function emptyCoordinator(socketPath: string) {
  const listeners: ServerResponse[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path.startsWith(ROUTE.events)) {
      response.flushHeaders()
      listeners.push(response)
    } else if (path.startsWith(ROUTE.workers)) {
      const { trouble } = coordinator
      if (trouble === '') return response.end('{"workers":[]}')
      const error = { code: 'engine-unreachable', exitCode: 3, message: trouble }
      response.writeHead(502).end(JSON.stringify({ error }))
    } else {
      coordinator.readings += 1
      const { trouble } = coordinator
      const state =
        trouble === ''
          ? { state: 'ready', ready: true, problems: [], workers: {} }
          : { state: 'degraded', ready: false, problems: [trouble], workers: null }
      response.end(JSON.stringify({ instance: 'hal9000', ...state }))
    }
  })
  const coordinator = {
    listeners,
    /** How often the status was read. */
    readings: 0,
    /** Why the engine cannot be seen; empty while it can. */
    trouble: '',
    start: () => new Promise<void>((resolve) => server.listen(socketPath, resolve)),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return coordinator
}
