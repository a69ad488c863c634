import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import fsp from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import Docker from 'dockerode'
import { Redis } from 'ioredis'
import { FAULT_FILE, type Fault, TRACE_FILE, type When } from './fault.ts'

const kill = process.kill.bind(process)

/*
 * Gives every boundary of the process a name, from outside: each call to the Docker engine, each command to Redis, each
 * change of a file, each signal. At any of them the process can be killed or stopped: before the call, once it is on its
 * way, or when its answer is there and nobody has read it. The product knows nothing of it.
 */

/** A boundary is crossed: what is armed there happens. Nothing is awaited, so that the order of things stays as it is. */
function cross(name: string, when: When): void {
  let fault: Fault
  try {
    fault = JSON.parse(readFileSync(FAULT_FILE, 'utf8'))
  } catch {
    return // Nothing is armed.
  }
  if (fault.at !== name || fault.when !== when) return
  // Once: the coordinator that follows goes on undisturbed.
  rmSync(FAULT_FILE, { force: true })
  kill(process.pid, fault.signal)
}

/** Crosses a boundary with a call that gives a promise. */
async function through<T>(name: string, call: () => Promise<T>): Promise<T> {
  trace(name)
  cross(name, 'before')
  const answer = call()
  setImmediate(() => cross(name, 'inside'))
  try {
    return await answer
  } finally {
    cross(name, 'after')
  }
}

/** Writes the name down while somebody wants to know which boundaries there are. */
function trace(name: string): void {
  if (existsSync(TRACE_FILE)) appendFileSync(TRACE_FILE, `${name}\n`)
}

// Docker: by method and path, without what changes.
type Modem = Docker['modem']
const modem: Modem = Object.getPrototypeOf(new Docker().modem)
const dial = modem.dial
modem.dial = function (this: Modem, options, callback) {
  const path = options.path
    .replace(/\?.*/, '')
    .replaceAll(/[0-9a-f]{64}/g, 'ID')
    .replaceAll(/(sha256:|hal9000)[^/]*/g, 'NAME')
  const name = `docker ${options.method} ${path.replace(/(images|containers)\/(?!ID|json|create)[^/]+\/json/, '$1/NAME/json')}`
  trace(name)
  cross(name, 'before')
  dial.call(this, options, (error, answer) => {
    cross(name, 'after')
    callback?.(error, answer)
  })
  setImmediate(() => cross(name, 'inside'))
}

// Redis: by command, a script by its name.
const scripts = new Map<string, string>()
const define = Redis.prototype.defineCommand
Redis.prototype.defineCommand = function (this: Redis, name, definition) {
  scripts.set(createHash('sha1').update(definition.lua).digest('hex'), name)
  define.call(this, name, definition)
}
const send = Redis.prototype.sendCommand
Redis.prototype.sendCommand = function (this: Redis, command, stream) {
  const [first] = command.args
  const name = `redis ${scripts.get(String(first)) ?? command.name}`.replace(/:.*/, '')
  trace(name)
  cross(name, 'before')
  setImmediate(() => cross(name, 'inside'))
  const after = (): void => cross(name, 'after')
  // First in line: what waits for the answer must not have read it.
  command.promise.then(after, after)
  return send.call(this, command, stream)
}

// Signals: to others, that is; ours are the faults.
process.kill = (pid, signal) => {
  if (pid === process.pid || signal === 0) return kill(pid, signal)
  const name = `signal ${signal}`
  trace(name)
  cross(name, 'before')
  kill(pid, signal)
  cross(name, 'after')
  return true
}

// Files: what changes them, by the directory.
const place = (path: unknown): string => basename(dirname(String(path)))
const { open, rename, rm } = fsp
Object.assign(fsp, {
  open: (path: string, flags?: string, mode?: number) =>
    flags === undefined || flags === 'r' || typeof flags === 'number'
      ? open(path, flags, mode)
      : through(`file open ${place(path)}`, () => open(path, flags, mode)),
  rename: (from: string, to: string) => through(`file rename ${place(to)}`, () => rename(from, to)),
  rm: (path: string, options?: object) => through(`file rm ${place(path)}`, () => rm(path, options)),
})
