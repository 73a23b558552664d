// Runs a real program as a child process and talks to it through its standard input and output.

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../scripts/launch.mjs', import.meta.url))

export class Program {
  readonly name: string
  readonly process: ChildProcess
  readonly #lines: string[] = []
  readonly #waiters = new Set<() => void>()
  #read = 0
  #ended = false

  /** `env` is added to the environment of this process; `through` stands before the command, to run it elsewhere. */
  constructor(
    name: string,
    what: 'tracker' | 'client',
    words: readonly string[],
    env: object = {},
    through: readonly string[] = [],
  ) {
    this.name = name
    const [command = '', ...rest] = [...through, process.execPath, launcher, what, ...words]
    this.process = spawn(command, rest, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    const { stdout } = this.process
    if (stdout === null) throw new Error('the child has no output')
    createInterface({ input: stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake()
    })
    // Writing to a program that was killed is part of the demonstration.
    this.process.stdin?.on('error', () => undefined)
    this.process.on('exit', () => {
      this.#ended = true
      this.#wake()
    })
  }

  /** Types a line and resolves to the next printed line that is the reply. Throws on a line that is an error. */
  async say(line: string, isReply: (line: string) => boolean = () => true): Promise<string> {
    this.#read = this.#lines.length
    this.process.stdin?.write(`${line}\n`)
    return this.next(isReply)
  }

  /** Skips to the next line for which `isRight` holds. Throws on a line before it that is an error. */
  async next(isRight: (line: string) => boolean): Promise<string> {
    for (;;) {
      while (this.#read < this.#lines.length) {
        const line = this.#lines[this.#read++] ?? ''
        if (line.startsWith('error:')) throw new Error(`${this.name}: ${line}`)
        if (isRight(line)) return line
      }
      if (this.#ended) throw new Error(`${this.name} has ended`)
      await new Promise<void>((resolve) => this.#waiters.add(resolve))
    }
  }

  hasPrinted(line: string): boolean {
    return this.#lines.includes(line)
  }

  /** Resolves when the program has ended by itself. */
  ended(): Promise<void> {
    return this.#end(() => undefined)
  }

  kill(): Promise<void> {
    return this.#end(() => this.process.kill('SIGKILL'))
  }

  quit(): Promise<void> {
    return this.#end(() => this.process.stdin?.write('quit\n'))
  }

  async #end(tell: () => void): Promise<void> {
    if (this.#ended) return
    const ended = new Promise<void>((resolve) => this.process.once('exit', () => resolve()))
    tell()
    await ended
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter()
    this.#waiters.clear()
  }
}
