import type { Owner } from '../contract/owner.ts'
import type { Seen } from './identity.ts'
import type { Claim } from './lock.ts'
import type { OwnerRecord } from './owner-record.ts'

/**
 * absent: nobody is there · starting: somebody will answer soon · healthy: the owner answers · wedged: the owner is there and
 * silent · stale: what is there has lost its claim, or is the trace of one that ended · foreign: somebody holds the lock who is
 * not known to be this instance's coordinator.
 */
export type Standing = {
  state: 'absent' | 'starting' | 'healthy' | 'wedged' | 'stale' | 'foreign'
  because: string
  owner: Owner | null
}

/** The answer to a handshake: `nobody` listens, or somebody does and is `silent`. */
export type Handshake = { answer: 'owner'; owner: Owner } | { answer: 'nobody' } | { answer: 'silent' }

/** The supervisor's word on the service; `since` = milliseconds since it went up or down. */
export type Service = {
  up: boolean
  wanted: boolean
  /** Kept down on purpose, until `daemon start`. */
  held: boolean
  pid: number | null
  /** How that process holds the lock. */
  claim: Claim
  /** How it ended last: an exit code, or a signal's name. */
  lastEnd: string | null
  since: number
}

export type Facts = {
  instance: string
  lock: 'held' | 'free' | 'missing'
  record: OwnerRecord
  /** The recorded process, looked for, and how it holds the lock; null without a record. */
  process: { seen: Seen; claim: Claim } | null
  handshake: Handshake
  /** null where there is no supervisor. */
  service: Service | null
  /** Milliseconds since the epoch. */
  now: number
}

/** How long a coordinator may take to its first answer before it counts as wedged. Milliseconds. */
const START = 15_000

/** What the facts come to. */
export function judge(facts: Facts): Standing {
  if (facts.handshake.answer === 'owner') return answered(facts.handshake.owner, facts)
  return facts.lock === 'held' ? silentHolder(facts) : nobodyHolds(facts)
}

function answered(owner: Owner, { instance, lock, service }: Facts): Standing {
  if (owner.instance !== instance) {
    return { state: 'foreign', because: `the coordinator of the instance "${owner.instance}" answers here`, owner }
  }
  // It looks for its lock file every few seconds, and ends without.
  if (lock !== 'held') return { state: 'stale', because: 'it answers, but its lock file is gone: it will end', owner }
  const unsupervised = service !== null && service.pid !== owner.pid
  const because = `it holds the lock and answers${unsupervised ? ', but the supervisor did not start it' : ''}`
  return { state: 'healthy', because, owner }
}

function silentHolder(facts: Facts): Standing {
  const { record, process, service, now, handshake, instance } = facts
  const known = process?.seen === 'alive' || process?.seen === 'stopped'
  if (record.found !== 'owner' || process === null || !known || process.claim !== 'held') {
    if (service?.claim !== 'held') return { state: 'foreign', because: unknownHolder(facts), owner: null }
    // The record comes a moment after the lock.
    if (service.since < START) return starting('it has just been started')
    return {
      state: 'wedged',
      because: `process ${service.pid} of the service holds the lock and is silent`,
      owner: null,
    }
  }
  const { owner } = record
  if (owner.instance !== instance) {
    return { state: 'foreign', because: `the instance "${owner.instance}" holds this state directory`, owner }
  }
  if (process.seen === 'stopped') return { state: 'wedged', because: 'its process is stopped by a signal', owner }
  const age = now - Date.parse(owner.startedAt)
  // Not for one from the future: a clock that was set back must not hide it for long.
  if (age >= 0 && age < START) return { ...starting('it does not answer yet'), owner }
  const because =
    handshake.answer === 'silent'
      ? 'it holds the lock and accepts connections, but does not answer'
      : 'it holds the lock, but listens no more'
  return { state: 'wedged', because, owner }
}

function unknownHolder({ record, process }: Facts): string {
  if (record.found === 'nothing') return 'somebody holds the lock and left no record'
  if (record.found === 'damage') return `somebody holds the lock, and the owner record ${record.because}`
  const { pid } = record.owner
  if (process?.seen === 'elsewhere') {
    return `process ${pid} of another container, or of another boot, is recorded as holder`
  }
  const gone = process === null || process.seen === 'gone' || process.seen === 'another'
  return gone
    ? `somebody holds the lock, and process ${pid} of the record is gone`
    : `somebody holds the lock, and it is not process ${pid} of the record`
}

function nobodyHolds({ record, process, service, lock }: Facts): Standing {
  const owner = record.found === 'owner' ? record.owner : null
  const there = process?.seen === 'alive' || process?.seen === 'stopped'
  if (owner !== null && there && process.claim === 'lost') {
    return { state: 'stale', because: `process ${owner.pid} holds a lock file that was removed`, owner }
  }
  if (service?.up === true) {
    if (service.since < START) return starting('it has just been started')
    return {
      state: 'wedged',
      because: `process ${service.pid} of the service neither holds the lock nor answers`,
      owner,
    }
  }
  if (service?.wanted === true) {
    const again = service.lastEnd === null ? '' : `: the last one ended with ${service.lastEnd}`
    return starting(`the supervisor starts it${again}`)
  }
  if (owner !== null) {
    const gaveUp = service !== null && !service.held && service.lastEnd !== null
    const how = gaveUp ? `with ${service.lastEnd} and is not started again` : 'without removing it'
    return { state: 'stale', because: `process ${owner.pid} of the record ended ${how}`, owner }
  }
  if (record.found === 'damage') return { state: 'stale', because: `the owner record ${record.because}`, owner: null }
  return { state: 'absent', because: absence(service, lock), owner: null }
}

function absence(service: Service | null, lock: Facts['lock']): string {
  if (service === null) return 'there is no supervisor here'
  if (service.held) return 'it was stopped and is kept down until it is started'
  if (service.lastEnd !== null) return `it ended with ${service.lastEnd} and is not started again`
  return lock === 'missing' ? 'nobody ever was' : 'nobody holds the lock'
}

function starting(because: string): Standing {
  return { state: 'starting', because, owner: null }
}
