import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Parts, shutDown } from './shutdown.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const NEVER = new Promise<never>(() => {})

/** Parts that write down when they are begun and done; those that are named do not come to an end. */
function parts(hang: readonly string[] = []): Parts & { said: string[] } {
  const said: string[] = []
  const ends = (name: string) => async (): Promise<void> => {
    said.push(name)
    if (hang.includes(name)) await NEVER
    await Promise.resolve()
    said.push(`${name} done`)
  }
  const tells = (name: string) => (): void => void said.push(name)
  return {
    said,
    leaving: { begin: tells('refuse'), tellWaiting: tells('tell') },
    queue: { close: ends('queue') },
    reconciler: { stop: ends('reconciler') },
    attachments: { leave: ends('attachments') },
    server: { close: ends('server') },
    events: { flush: ends('events') },
    redis: { disconnect: tells('redis') },
    forget: ends('record'),
    log: { warn: (what: unknown) => void said.push(String(what)) },
  }
}

test('refuses first, lets end what is under way, then tells who waits, then closes', async () => {
  const all = parts()
  await shutDown(all)
  expect(all.said.join(', ')).toBe(
    'refuse, queue, reconciler, attachments, queue done, reconciler done, attachments done, ' +
      'tell, server, events, server done, events done, redis, record, record done',
  )
})

test('whatever hangs, it is over in less than the supervisor gives, and all are told', async () => {
  const all = parts(['queue', 'reconciler', 'attachments', 'server', 'events', 'record'])
  const begun = Date.now()
  const over = shutDown(all).then(() => Date.now() - begun)
  await vi.runAllTimersAsync()
  expect(await over).toBeLessThan(1_300)
  const told = ['refuse', 'tell', 'redis', 'record']
  expect(all.said.filter((one) => told.includes(one))).toEqual(told)
  expect(all.said.filter((one) => one.includes('is left to the next coordinator'))).toHaveLength(6)
})

test('what fails to end keeps nothing else from its end', async () => {
  const all = parts()
  all.queue.close = () => Promise.reject(new Error('broken'))
  await shutDown(all)
  expect(all.said.at(-1)).toBe('record done')
})
