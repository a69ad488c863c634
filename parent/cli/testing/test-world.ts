import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { World } from '../context.ts'

export type TestWorld = World & {
  stdin: PassThrough & { isTTY?: boolean; raw: boolean[] }
  stdout: PassThrough & { isTTY?: boolean; columns?: number; rows?: number }
  signals: EventEmitter
  /** What stty was asked to set. */
  settings: string[]
  /** What has been written so far. */
  out: () => string
  err: () => string
}

/** A world whose ends are in memory; `terminal` makes stdin and stdout one of 100 × 30 cells. */
export function testWorld(env: Record<string, string> = {}, terminal = false): TestWorld {
  const raw: boolean[] = []
  const settings: string[] = []
  const stdin = Object.assign(new PassThrough(), {
    raw,
    ...(terminal && { isTTY: true, setRawMode: (on: boolean) => raw.push(on) }),
  })
  const stdout = Object.assign(new PassThrough(), terminal && { isTTY: true, columns: 100, rows: 30 })
  const stderr = Object.assign(new PassThrough(), terminal && { isTTY: true })
  const out = kept(stdout)
  const err = kept(stderr)
  const signals = new EventEmitter()
  let ids = 0
  return {
    env: { TERM: 'xterm-256color', ...env },
    stdin,
    stdout,
    stderr,
    signals,
    inputIsNull: () => false,
    hangUp: () => void signals.emit('SIGHUP'),
    stty: (setting) => settings.push(setting),
    execute: () => Promise.resolve({ code: 127, stdout: '' }),
    passThrough: () => Promise.resolve(127),
    now: Date.now,
    newId: (letter) => `${letter}${String((ids += 1)).padStart(24, '0')}`,
    version: '1.2.3',
    settings,
    out,
    err,
  }
}

function kept(stream: PassThrough): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}
