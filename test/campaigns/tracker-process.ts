// The real tracker program as a child process: started, timed, killed, asked for its digest.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Far longer than any wait for a kill, or any start: a tracker looks for a snapshot for a minute. */
const patienceMs = 120_000

const builtTracker = fileURLToPath(new URL('../../dist/tracker/main.js', import.meta.url))

export interface TrackerProgram {
  /** What comes before the arguments: options of Node and the file of the program. */
  readonly node: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs Node, such as `ip netns exec …`. */
  readonly within?: readonly string[]
  /** What else a kill does to the data folder. */
  readonly afterKill?: (dataFolder: string) => void
}

export const realProgram: TrackerProgram = { node: [builtTracker] }

const running = new Set<ChildProcessWithoutNullStreams>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class TrackerProcess {
  readonly #program: TrackerProgram
  readonly #words: readonly string[]
  #child: ChildProcessWithoutNullStreams | undefined
  #lines: string[] = []
  #stderr = ''
  #exitCode: number | null = null
  #wake: () => void = () => undefined

  constructor(program: TrackerProgram, words: readonly string[]) {
    this.#program = program
    this.#words = words
  }

  /** Starts it and waits until it serves; rejects if it ends before. Resolves to the time taken, in milliseconds. */
  async start(program = this.#program): Promise<number> {
    const startedMs = performance.now()
    this.#lines = []
    const env = { PATH: process.env['PATH'], ...program.env }
    const [command = '', ...words] = [
      ...(program.within ?? []),
      process.execPath,
      ...program.node,
      ...this.#words,
    ]
    const child = spawn(command, words, { env })
    this.#child = child
    running.add(child)
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake()
    })
    child.stderr.on('data', (bytes: Buffer) => (this.#stderr += bytes.toString()))
    // Writing to a program that was killed is part of a campaign.
    child.stdin.on('error', () => undefined)
    child.once('close', (code) => {
      this.#exitCode = code
      running.delete(child)
      if (this.#child === child) this.#child = undefined
      this.#wake()
    })
    await this.#line(/ listening on /)
    return performance.now() - startedMs
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** The exit code of its last life; null when a signal ended it. */
  get exitCode(): number | null {
    return this.#exitCode
  }

  /** Its standard error, of all its lives. */
  get stderr(): string {
    return this.#stderr
  }

  /** Kills it with SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Resolves when the process has ended, for whatever reason. */
  async ended(): Promise<void> {
    const signal = AbortSignal.timeout(patienceMs)
    if (this.#child !== undefined) await once(this.#child, 'close', { signal })
  }

  async quit(): Promise<void> {
    this.#child?.stdin.write('quit\n')
    await this.ended()
  }

  /** The digest of all hard state, and its position in the log. */
  async digest(): Promise<{ digest: string; position: number }> {
    const line = await this.#say('digest', /^state /)
    const [, digest = '', position] = /^state (\S+) at log position (\d+)$/.exec(line) ?? []
    return { digest, position: Number(position) }
  }

  /** From here on its community takes as many accounts from one address as all of a campaign are. */
  async admitAll(): Promise<void> {
    const reply = await this.#say('quota accounts_of_address 1000000', /^(done|error: .*)$/)
    if (reply !== 'done') throw new Error(reply)
  }

  async #say(command: string, wanted: RegExp): Promise<string> {
    this.#lines = []
    this.#child?.stdin.write(`${command}\n`)
    return this.#line(wanted)
  }

  /** Resolves at a line, at the end of the process, or after this time. */
  #news(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #line(wanted: RegExp): Promise<string> {
    const deadlineMs = performance.now() + patienceMs
    for (;;) {
      const found = this.#lines.find((line) => wanted.test(line))
      if (found !== undefined) return found
      if (this.#child === undefined) throw new Error(`the tracker ended too early: ${this.#stderr}`)
      if (performance.now() > deadlineMs) throw new Error(`the tracker does not answer: ${this.#stderr}`)
      await this.#news(deadlineMs - performance.now())
    }
  }
}

/** Starts the trackers of a community that is new, for a campaign. */
export async function startAll(trackers: readonly TrackerProcess[]): Promise<void> {
  await Promise.all(trackers.map((tracker) => tracker.start()))
  await trackers[0]?.admitAll()
}

/** Below the ephemeral ports, among which a client could take that of a tracker that is down. */
const firstPort = 20_000
const portCount = 12_000

/** A port that nobody listens on, and that no client takes by chance while a tracker is down. */
export async function freePort(random: () => number): Promise<number> {
  for (;;) {
    const server = createServer()
    try {
      server.listen(firstPort + Math.floor(random() * portCount), '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    } catch {
      // Taken: try another.
    } finally {
      server.close()
    }
  }
}
