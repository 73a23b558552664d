// The real, built programs as child processes: spoken to through standard input, heard line by line.
// Every wait has an end, and says then what the program had printed until there.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patienceMs = 30_000

/** `help quit` ends with this line, and nothing else ends so: it marks the end of a reply. */
const endOfReply = '  also: exit'
const linesOfMark = 3

export type What = 'tracker' | 'client' | 'demo'

/** A line as it stands, or what it has to match. */
export type Wanted = string | RegExp | ((line: string) => boolean)

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Surroundings {
  readonly cwd: string
  /** Instead of the home folder of whoever runs the tests. */
  readonly home: string
  /** Instead of the file of the build. */
  readonly main?: string
  /** The words that start it, in front of that file; by default this Node. */
  readonly through?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export class Program {
  readonly name: string
  readonly process: ChildProcessWithoutNullStreams
  /** Every line of standard output so far. */
  readonly lines: string[] = []
  stderr = ''
  ending: Ending | undefined
  readonly #waiters = new Set<() => void>()

  constructor(name: string, what: What, words: readonly string[], surroundings: Surroundings) {
    const { cwd, home, through = [process.execPath] } = surroundings
    this.name = name
    const built = fileURLToPath(new URL(`../../dist/${what}/main.js`, import.meta.url))
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      XDG_DATA_HOME: `${home}/data`,
      ...surroundings.env,
    }
    const [command = process.execPath, ...before] = through
    this.process = spawn(command, [...before, surroundings.main ?? built, ...words], { cwd, env })
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.lines.push(line)
      this.#wake()
    })
    this.process.stderr.on('data', (bytes: Buffer) => (this.stderr += bytes.toString()))
    // Writing to a program that was killed is part of many tests.
    this.process.stdin.on('error', () => undefined)
    this.process.on('close', (code, signal) => {
      this.ending = { code, signal }
      this.#wake()
    })
  }

  /** Where `until` may begin to look, so that it does not find what was said before. */
  mark(): number {
    return this.lines.length
  }

  write(...lines: readonly string[]): void {
    this.process.stdin.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** The first such line from `since` on, also one that is there already. */
  async until(wanted: Wanted, since = 0): Promise<string> {
    await this.#wait(`a line like ${String(wanted)}`, () => this.#find(wanted, since) !== -1)
    return this.lines[this.#find(wanted, since)] ?? ''
  }

  /** Types a command; all lines that came from then on to the end of its reply. */
  async ask(line: string): Promise<string[]> {
    const since = this.mark()
    this.write(line, 'help quit')
    await this.until(endOfReply, since)
    const end = this.#find(endOfReply, since)
    return this.lines.slice(since, end - linesOfMark + 1)
  }

  /** Types a command whose reply is one line. Fails when there are more. */
  async say(line: string): Promise<string> {
    const lines = await this.ask(line)
    if (lines.length !== 1) throw new Error(`${this.name}: "${line}" got ${JSON.stringify(lines)}`)
    return lines[0] ?? ''
  }

  /** Types commands one after the other; the first line of each reply. Fails at the first error. */
  async does(...commands: readonly string[]): Promise<string[]> {
    const replies: string[] = []
    for (const command of commands) {
      const [first = ''] = await this.ask(command)
      if (first.startsWith('error:')) throw new Error(`${this.name}: "${command}" got "${first}"`)
      replies.push(first)
    }
    return replies
  }

  /** Asks again and again until a line of the reply is right. */
  async askUntil(command: string, wanted: Wanted): Promise<string> {
    return vi.waitFor(
      async () => {
        const line = (await this.ask(command)).find((each) => isWanted(each, wanted))
        if (line !== undefined) return line
        throw new Error(`${this.name}: "${command}" never said ${String(wanted)}\n${this.#story()}`)
      },
      { timeout: patienceMs, interval: 20 },
    )
  }

  /** Pieces of a download that are verified and written, and who sent them in this run. */
  async progress(name: string): Promise<{ done: number; all: number; from: Map<string, number> }> {
    const lines = await this.ask('show_downloads --details')
    const at = lines.findIndex((line) => line.startsWith('[') && line.endsWith(`] ${name}`))
    const [, done = '0', all = '0', rest = ''] =
      /^ {4}(\d+) of (\d+) pieces?(.*)$/.exec(lines[at + 1] ?? '') ?? []
    const from = new Map<string, number>()
    for (const [, pieces = '', user = ''] of rest.matchAll(/(\d+) from ([A-Za-z0-9._-]+)@/g)) {
      from.set(user, Number(pieces))
    }
    return { done: Number(done), all: Number(all), from }
  }

  /** Waits until so many pieces of the one download are there; how many there were when last asked. */
  async untilPieces(count: number): Promise<number> {
    const piecesDone = (line: string): number => Number(/^ {4}(\d+) of/.exec(line)?.[1] ?? -1)
    return piecesDone(await this.askUntil('show_downloads --details', (line) => piecesDone(line) >= count))
  }

  async ended(): Promise<Ending> {
    await this.#wait('the end of the program', () => this.ending !== undefined, false)
    return this.ending ?? { code: null, signal: null }
  }

  async quit(): Promise<Ending> {
    this.write('quit')
    return this.ended()
  }

  /** Ends as a power failure would: without a word. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ending> {
    this.process.kill(signal)
    return this.ended()
  }

  /** Stands still with its sockets open, as a machine that hangs would. */
  freeze(): void {
    this.process.kill('SIGSTOP')
  }

  #find(wanted: Wanted, since: number): number {
    return this.lines.findIndex((line, at) => at >= since && isWanted(line, wanted))
  }

  async #wait(what: string, isThere: () => boolean, needsProgram = true): Promise<void> {
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      this.#wake()
    }, patienceMs)
    try {
      while (!isThere()) {
        if (timedOut) throw new Error(`${this.name}: waited in vain for ${what}\n${this.#story()}`)
        if (needsProgram && this.ending !== undefined)
          throw new Error(`${this.name} ended before ${what}\n${this.#story()}`)
        await new Promise<void>((resolve) => this.#waiters.add(resolve))
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #story(): string {
    const shown = this.lines.slice(-40).join('\n')
    return `--- what ${this.name} had printed:\n${shown}\n--- and on standard error:\n${this.stderr}`
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter()
    this.#waiters.clear()
  }
}

function isWanted(line: string, wanted: Wanted): boolean {
  if (typeof wanted === 'string') return line === wanted
  return wanted instanceof RegExp ? wanted.test(line) : wanted(line)
}
