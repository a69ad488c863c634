import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** One entry of a worker's output; `data` ends in a newline unless it is a part of a longer line. */
export type Entry = { at: string; output: 'stdout' | 'stderr'; data: Buffer }

const DIRECTORY = 'logs/workers'

/** A worker's log file's name: readable, and unique by its request. */
export function logName(worker: string, request: string): string {
  return `${worker}-${request}.log`
}

/**
 * Writes the log of an ended worker, in the format of Kubernetes' container runtime interface: a line an entry,
 * `TIME stdout|stderr F|P DATA` (F: full line, P: part of one). Returns its size in bytes, when it is on disk.
 */
export async function writeLog(home: string, name: string, entries: AsyncIterable<Entry>): Promise<number> {
  await using file = await open(join(home, DIRECTORY, name), 'w', 0o600)
  let pending: Buffer[] = []
  let size = 0
  let written = 0
  const flush = async (): Promise<void> => {
    written += (await file.writev(pending)).bytesWritten
    pending = []
    size = 0
  }
  for await (const { at, output, data } of entries) {
    const full = data.at(-1) === 10
    pending.push(Buffer.from(`${at} ${output} ${full ? 'F' : 'P'} `), data)
    if (!full) pending.push(NEWLINE)
    size += data.length
    if (size >= CHUNK || pending.length >= MAX_PARTS) await flush()
  }
  if (pending.length > 0) await flush()
  await file.sync()
  return written
}

/** A line at a time would be a system call a line. Bytes; and parts, of which writev(2) takes 1024. */
const CHUNK = 64 * 1024
const MAX_PARTS = 1000

const NEWLINE = Buffer.from('\n')

/** The entries of an ended worker's log; nothing when the file is gone. */
export async function* readLog(home: string, name: string): AsyncGenerator<Entry> {
  // Latin-1 keeps every byte as it is; only line feeds end a line (a carriage return is the command's own).
  const stream = createReadStream(join(home, DIRECTORY, name), 'latin1')
  let pending = ''
  try {
    for await (const chunk of stream) {
      const lines = (pending + String(chunk)).split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) {
        const entry = parse(line)
        if (entry) yield entry
      }
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

function parse(line: string): Entry | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP]) ([^]*)$/.exec(line)
  if (!match) return undefined
  const [, at = '', output, tag, data = ''] = match
  return {
    at,
    output: output === 'stderr' ? 'stderr' : 'stdout',
    data: Buffer.from(tag === 'F' ? `${data}\n` : data, 'latin1'),
  }
}

export async function removeLog(home: string, name: string): Promise<void> {
  await rm(join(home, DIRECTORY, name), { force: true })
}
