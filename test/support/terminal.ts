import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { run, succeed, until } from './run.ts'

export type TerminalOptions = { env?: Record<string, string>; cwd?: string; columns?: number; rows?: number }

/** A terminal as a person has it: a tmux server of its own on the host, of which the command is the one window. */
export class Terminal implements AsyncDisposable {
  readonly #server: string

  private constructor(server: string) {
    this.#server = server
  }

  static async open(command: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const terminal = new Terminal(`hal9000-test-${randomBytes(4).toString('hex')}`)
    const { columns = 80, rows = 24, cwd, env } = options
    // One word for tmux's own shell: of several words tmux would take those that end in ";" for its own.
    const line = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
    const size = ['-x', String(columns), '-y', String(rows)]
    const start = ['-f', '/dev/null', 'start-server', ';', 'set', '-g', 'exit-empty', 'off']
    // A tmux around the test run itself must not be seen inside.
    const settings = { ...env, TMUX: '', TMUX_PANE: '', LANG: 'C.UTF-8' }
    await terminal.#tmux([...start, ';', 'set', '-g', 'remain-on-exit', 'on'], { env: settings })
    await terminal.#tmux(['new-session', '-d', ...size, `exec ${line}`], { ...(cwd && { cwd }) })
    return terminal
  }

  /** Presses keys by their tmux names: "Enter", "C-b", "d". */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux(['send-keys', ...keys])
  }

  /** Types a text and Enter. */
  async type(text: string): Promise<void> {
    await this.#tmux(['send-keys', '-l', text])
    await this.press('Enter')
  }

  /** The rows as they stand, without trailing spaces. */
  async rows(): Promise<string[]> {
    return (await this.#tmux(['capture-pane', '-p'])).split('\n')
  }

  /** Waits until something is shown, on the screen or scrolled out of it; all of that then. */
  async shows(what: string | RegExp, timeout = 15_000): Promise<string> {
    let screen = ''
    try {
      return await until(
        `the terminal shows ${what}`,
        async () => {
          screen = await this.#tmux(['capture-pane', '-p', '-S', '-'])
          return (typeof what === 'string' ? screen.includes(what) : what.test(screen)) && screen
        },
        timeout,
      )
    } catch (cause) {
      throw new Error(`the terminal never showed ${what}; it shows:\n${screen}`, { cause })
    }
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux(['resize-window', '-x', String(columns), '-y', String(rows)])
  }

  /** Waits for the end of the command; its exit code, or the number of the signal that ended it, negative. */
  async ended(timeout = 15_000): Promise<number> {
    const seen = async (): Promise<string | false> => {
      const end = await this.#ask('#{pane_dead}:#{?pane_dead_signal,-#{pane_dead_signal},#{pane_dead_status}}')
      // tmux 3.3 loses a SIGCHLD at times; the end of another child makes it look again.
      if (end === '1:') await this.#tmux(['run-shell', 'true'])
      return /^1:./.test(end) && end.slice(2)
    }
    return Number(await until('the command in the terminal ends', seen, timeout))
  }

  /** The process of the command. */
  async pid(): Promise<number> {
    return Number(await this.#ask('#{pane_pid}'))
  }

  /** Closes the terminal as its window is closed: what runs in it gets a hang-up. */
  async close(): Promise<void> {
    // tmux leaves its socket behind.
    const { code, stdout } = await run('tmux', ['-L', this.#server, 'display-message', '-p', '#{socket_path}'])
    if (code !== 0) return
    await run('tmux', ['-L', this.#server, 'kill-server'])
    await rm(stdout.trim(), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #ask(format: string): Promise<string> {
    return this.#tmux(['display-message', '-p', format])
  }

  #tmux(words: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}): Promise<string> {
    return succeed('tmux', ['-L', this.#server, ...words], options)
  }
}
