import { type Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import type { Worker } from '../contract/worker.ts'
import type { Engine } from '../docker/engine.ts'
import { type TestContext, aContext, aStarted } from '../workers/testing.ts'
import { Attachments } from './attachments.ts'

const ID = 'attach-id-1'
const TERMINAL = { columns: 80, rows: 24, term: 'xterm-256color' }

/** A client in a worker's session; what is in the worker says goodbye when it is detached. */
async function anAttached(
  context: TestContext,
): Promise<{ all: Attachments; client: Duplex; worker: Worker; ran: string[] }> {
  await aStarted(context, 'w1', { command: ['sleep', '100'] })
  const worker = { ...(await context.roster.find('w1')), state: 'running' as const, io: 'session' as const }
  const [client, socket] = duplexPair()
  const [stream, inside] = duplexPair()
  const ran: string[] = []
  const session: Pick<Engine, 'terminal' | 'run'> = {
    terminal: async () => ({ stream, resize: async () => {}, exitCode: async () => 0 }),
    run: async (_id, command) => {
      ran.push(command.join(' '))
      inside.end('goodbye')
      return 0
    },
  }
  const all = new Attachments({ ...context, engine: Object.assign(context.engine, session) })
  all.announce(worker, { id: ID, enter: 'session', terminal: TERMINAL })
  await all.open(ID, () => socket)
  return { all, client, worker, ran }
}

test('who is attached when the coordinator leaves is detached, hears the last bytes, and is told why', async () => {
  await using context = await aContext()
  const { all, client, worker, ran } = await anAttached(context)
  expect(context.roster.attached.get(worker.request)).toBe(1)
  const left = all.leave()
  expect(await textOf(client)).toBe('goodbye')
  expect(ran).toEqual([`/usr/lib/hal9000/detach ${ID}`])
  expect(await all.outcome(ID)).toMatchObject({ outcome: 'coordinator-left', worker: { name: 'w1' } })
  await left
  expect(context.roster.attached.get(worker.request)).toBeUndefined()
})

test('who goes by himself has detached', async () => {
  await using context = await aContext()
  const { all, client, ran } = await anAttached(context)
  client.end()
  await textOf(client)
  expect(ran).toEqual([`/usr/lib/hal9000/detach ${ID}`])
  expect(await all.outcome(ID)).toMatchObject({ outcome: 'detached' })
})

async function textOf(stream: Duplex): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
