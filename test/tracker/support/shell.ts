// A person at an interactive shell with job control, in a real pseudo terminal.

import { spawn, type IPty } from '@lydell/node-pty'
import { onTestFinished, vi } from 'vitest'

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patience = { timeout: 15_000, interval: 10 }

export const ctrlD = '\u0004'
export const ctrlZ = '\u001a'

export class Shell {
  readonly #child: IPty
  #output = ''
  /** Up to where the output was looked at. */
  #seen = 0

  private constructor(child: IPty) {
    this.#child = child
    child.onData((text) => (this.#output += text))
  }

  /** With a prompt that is there; it is gone at the end of the test, with all it started. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<Shell> {
    const child = spawn('bash', ['--norc', '--noprofile', '-i'], {
      name: 'dumb',
      // Nothing that is shown here wraps.
      cols: 500,
      rows: 50,
      env: { PATH: process.env['PATH'] ?? '', TERM: 'dumb', PS1: '$ ', ...env },
    })
    let hasExited = false
    child.onExit(() => (hasExited = true))
    // The shell hands a hang-up on to its jobs, and continues those that are stopped. It does not notice one that
    // comes just before it waits for a key.
    onTestFinished(() =>
      vi.waitFor(
        () => {
          if (hasExited) return
          child.kill('SIGHUP')
          throw new Error('the shell does not end')
        },
        // A second one on the heels of the first would end it before its jobs.
        { timeout: patience.timeout, interval: 200 },
      ),
    )
    const shell = new Shell(child)
    await shell.see(/\$ $/)
    return shell
  }

  type(text: string): void {
    this.#child.write(text)
  }

  /** What matches first behind what was seen before; waits for it. */
  see(wanted: RegExp): Promise<string> {
    return vi.waitFor(() => {
      const text = this.#output.slice(this.#seen)
      const match = wanted.exec(text)
      if (match === null) throw new Error(`never saw ${String(wanted)} in ${JSON.stringify(text)}`)
      this.#seen += match.index + match[0].length
      return match[0]
    }, patience)
  }

  /** Waits until the shell asks for the next command, after a job in the foreground has ended. */
  async prompt(): Promise<void> {
    await this.see(/\r\n\$ $/)
  }

  /** Has the shell answer what is no echo of the line; then it has read, and done, all that was typed. */
  async answer(): Promise<void> {
    this.type('echo answer-$((40 + 2))\n')
    await this.see(/answer-42[^$]*\$ /)
  }

  /** "Running" or "Stopped", of the one job. */
  async job(): Promise<string> {
    this.type('jobs\n')
    return this.see(/Running|Stopped/)
  }
}
