import { execFile, spawn, spawnSync } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { World } from './context.ts'

/** Device 1:3, as stat(2) packs it. */
const NULL_DEVICE = 0x103

/**
 * The real world of a command. Streams are made on first use, because making them costs milliseconds that
 * `--help` and `ready` need not pay.
 */
export function realWorld(version: string): World {
  return {
    env: process.env,
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return process.stdout
    },
    get stderr() {
      return process.stderr
    },
    signals: process,
    inputIsNull: () => fstatSync(0).rdev === NULL_DEVICE,
    hangUp: () => void process.kill(process.pid, 'SIGHUP'),
    stty: (setting) => void spawnSync('stty', [setting], { stdio: ['inherit', 'ignore', 'ignore'] }),
    execute: (program, args) =>
      new Promise((resolve) => {
        execFile(program, [...args], (error, stdout) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 127, stdout })
        })
      }),
    passThrough: (program, args) =>
      new Promise((resolve, reject) => {
        const child = spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], {
          stdio: ['ignore', 'inherit', 'inherit'],
        })
        child.on('error', reject)
        child.on('close', (code) => resolve(code ?? 1))
      }),
    now: Date.now,
    newId: (letter) => letter + randomHex(12),
    version,
  }
}

/** From the kernel's device: loading node:crypto would make every spawn some 3 ms slower. */
function randomHex(bytes: number): string {
  const buffer = Buffer.alloc(bytes)
  const device = openSync('/dev/urandom', 'r')
  try {
    readSync(device, buffer)
  } finally {
    closeSync(device)
  }
  return buffer.toString('hex')
}
