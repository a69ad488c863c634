import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Owner } from '../contract/owner.ts'
import { writeAtomically } from '../state/atomic-file.ts'
import { isPid } from './identity.ts'
import { readPlainFile } from './plain-file.ts'

/** Who holds this state directory, for people and for `coordinator daemon`. The lock decides; this only names. */
const RECORD_FILE = 'coordinator.json'

export type OwnerRecord = { found: 'owner'; owner: Owner } | { found: 'nothing' } | { found: 'damage'; because: string }

/** Ten times what a record has. Bytes. */
const LIMIT = 4096

/** The owner record. What is not understood in every field is damage, and nobody acts on a part of it. Never throws. */
export async function readOwnerRecord(home: string): Promise<OwnerRecord> {
  const file = await readPlainFile(join(home, RECORD_FILE), LIMIT)
  if (file.found !== 'text') return file
  const owner = parseOwner(file.text)
  return owner === undefined ? { found: 'damage', because: 'is not an owner record' } : { found: 'owner', owner }
}

export async function writeOwnerRecord(home: string, owner: Owner): Promise<void> {
  await writeAtomically(join(home, RECORD_FILE), `${JSON.stringify({ schema: 1, ...owner })}\n`)
}

/** Removes the record if it is still this owner's: a successor's stays. */
export async function removeOwnerRecord(home: string, { pid, epoch }: Owner): Promise<void> {
  const record = await readOwnerRecord(home)
  if (record.found !== 'owner' || record.owner.pid !== pid || record.owner.epoch !== epoch) return
  await rm(join(home, RECORD_FILE), { force: true })
}

function parseOwner(text: string): Owner | undefined {
  const record = parseObject(text)
  const { instance, epoch, pid, startTime, bootId, pidNamespace, startedAt, version } = record
  if (record['schema'] !== 1 || !isPid(pid) || !isCount(epoch) || !isCount(startTime)) return undefined
  if (!isWord(instance, /^\S{1,100}$/) || !isWord(version, /^\S{1,100}$/)) return undefined
  if (!isWord(bootId, /^[0-9a-f-]{36}$/) || !isWord(pidNamespace, /^pid:\[\d{1,20}\]$/)) return undefined
  if (!isWord(startedAt, /^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z$/)) return undefined
  return { instance, epoch, pid, startTime, bootId, pidNamespace, startedAt, version }
}

function parseObject(text: string): { [key: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function isWord(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value)
}
