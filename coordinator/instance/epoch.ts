import { join } from 'node:path'
import { writeAtomically } from '../state/atomic-file.ts'
import { readPlainFile } from './plain-file.ts'

/**
 * The number of the last holder of this state directory. Redis keeps the greatest it has seen (store/fence.ts), so that
 * one that was lost, or is an older copy, is found out.
 */
const EPOCH_FILE = 'epoch'

/** Takes the next epoch; on disk when it returns. Only for the holder of the lock. */
export async function nextEpoch(home: string): Promise<number> {
  const file = await readPlainFile(join(home, EPOCH_FILE), 32)
  // What cannot be read counts as lost: then Redis knows better.
  const last = file.found === 'text' && /^[1-9]\d{0,14}\n$/.test(file.text) ? Number(file.text) : 0
  await keepEpoch(home, last + 1)
  return last + 1
}

/** Keeps an epoch as the last one; on disk when it returns. */
export async function keepEpoch(home: string, epoch: number): Promise<void> {
  await writeAtomically(join(home, EPOCH_FILE), `${epoch}\n`)
}
