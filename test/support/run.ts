import { spawn } from 'node:child_process'

export type Output = {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** stdout as it came. */
  bytes: Buffer
  ms: number
}

export type RunOptions = { input?: string | Buffer; env?: Record<string, string>; cwd?: string; timeout?: number }

/** Runs a command to its end, output collected; never fails by itself. Killed after `timeout` milliseconds (60,000). */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeout ?? 60_000,
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => {}) // It may end before it has read its input.
    child.stdin.end(options.input)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const ms = performance.now() - started
      const bytes = Buffer.concat(stdout)
      resolve({ code, signal, stdout: bytes.toString(), stderr: Buffer.concat(stderr).toString(), bytes, ms })
    })
  })
}

/** Runs a command that must succeed; its stdout without the final newline. */
export async function succeed(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const output = await run(command, args, options)
  if (output.code !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${output.code}:\n${output.stdout}${output.stderr}`)
  return output.stdout.trimEnd()
}

/** Waits until `condition` gives something; fails after `timeout` milliseconds, naming what it waited for. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  timeout = 15_000,
): Promise<T> {
  for (const deadline = Date.now() + timeout; Date.now() < deadline;) {
    const result = await condition()
    if (result !== undefined && result !== false) return result
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`waited ${timeout} ms in vain: ${what}`)
}
