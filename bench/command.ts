import { spawn } from 'node:child_process'

/** What a command came to: wall time in milliseconds, and what it printed. */
export type Done = { ms: number; stdout: string }

export type CommandOptions = {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Milliseconds until it is killed. */
  timeout?: number
}

/**
 * Runs a command to its end and times it. Fails unless it exits with 0: a figure of something that did not work is none.
 * It runs in a process group of its own, so that Ctrl-C reaches this program alone, which then cleans up in order.
 */
export function timed(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Done> {
  const { cwd, env = process.env, timeout = 120_000 } = options
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(command, args, { cwd, env, timeout, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const ms = performance.now() - began
      if (code === 0) return resolve({ ms, stdout: Buffer.concat(stdout).toString() })
      const said = Buffer.concat([...stdout, ...stderr]).toString()
      reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}:\n${said}`))
    })
  })
}
