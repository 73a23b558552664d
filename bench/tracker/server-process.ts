// Runs a server as a child process and reads its CPU time and memory from /proc (Linux).

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { percent } from './report.ts'

/** `getconf CLK_TCK`: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** The tracker that is measured: this tree's build, or the `main.js` of another, for comparison. */
export const trackerMain =
  process.env['TRACKER_MAIN'] === undefined
    ? fileURLToPath(new URL('../../dist/tracker/main.js', import.meta.url))
    : resolve(process.env['TRACKER_MAIN'])

const running = new Set<ServerProcess>()

/** Ends servers that an error has left running. */
export function endAllServers(): void {
  for (const server of running) void server.kill()
}

export class ServerProcess {
  readonly port: number
  /** From starting the process to its line "listening on …", in milliseconds. */
  readonly startMs: number
  /** Where it answers Prometheus; undefined for nowhere. */
  readonly metricsPort: number | undefined
  readonly #process: ChildProcess

  private constructor(
    process: ChildProcess,
    { port, metricsPort, startMs }: Pick<ServerProcess, 'port' | 'metricsPort' | 'startMs'>,
  ) {
    this.#process = process
    this.port = port
    this.metricsPort = metricsPort
    this.startMs = startMs
    running.add(this)
  }

  /**
   * Starts a script by its path from this folder; resolves when it says where it listens. `onLogLine` gets the lines
   * of its standard error, which otherwise goes to this program's.
   */
  static async start(
    script: string,
    words: readonly string[] = [],
    nodeFlags: readonly string[] = [],
    onLogLine?: (line: string) => void,
  ): Promise<ServerProcess> {
    const path = fileURLToPath(new URL(script, import.meta.url))
    const startedAtMs = performance.now()
    const child = spawn(process.execPath, [...nodeFlags, path, ...words], {
      stdio: ['pipe', 'pipe', onLogLine === undefined ? 'inherit' : 'pipe'],
    })
    const { stdout, stderr } = child as unknown as { stdout: Readable; stderr: Readable | null }
    if (stderr !== null && onLogLine !== undefined) createInterface(stderr).on('line', onLogLine)
    const saidWhere = whereItListens(stdout)
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${script} ended before it listened`)
    })
    ended.catch(() => undefined)
    const { port, metricsPort } = await Promise.race([saidWhere, ended])
    // What it says later is read and dropped.
    stdout.resume()
    return new ServerProcess(child, { port, metricsPort, startMs: performance.now() - startedAtMs })
  }

  /** Starts the tracker to measure on a free port, or where it was before, with these words on its command line. */
  static tracker(
    words: readonly string[],
    onLogLine?: (line: string) => void,
    port = 0,
  ): Promise<ServerProcess> {
    const flags = process.env['TRACKER_NODE_FLAGS']?.split(' ') ?? []
    const script = pathToFileURL(trackerMain).href
    return ServerProcess.start(script, ['127.0.0.1', String(port), ...words], flags, onLogLine)
  }

  /** CPU time used so far by all threads of the process, in seconds. */
  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, which may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }

  /**
   * Seconds for which the main thread was ready to run but had no core: latency that other processes on this machine
   * added, load generators included. Undefined where the kernel does not count it.
   */
  get waitedSeconds(): number | undefined {
    const path = `/proc/${this.#process.pid}/schedstat`
    return existsSync(path) ? Number(readFileSync(path, 'utf8').split(' ')[1]) / 1e9 : undefined
  }

  /** Why it ended by itself; undefined while it runs. */
  get endedBecause(): string | undefined {
    const { exitCode, signalCode } = this.#process
    if (signalCode !== null) return `killed by ${signalCode}`
    return exitCode === null ? undefined : `ended with code ${exitCode}`
  }

  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
  }

  /** Open files, sockets included. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** For a server whose orderly shutdown could take long. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    running.delete(this)
    if (this.endedBecause !== undefined) return
    const exited = once(this.#process, 'exit')
    this.#process.kill(signal)
    await exited
  }
}

/** Reads what a server says until it says where it listens. */
async function whereItListens(stdout: Readable): Promise<{ port: number; metricsPort: number | undefined }> {
  let metricsPort: number | undefined
  for await (const line of createInterface(stdout)) {
    const metrics = /^metrics on http:\/\/.*:(\d+)\//.exec(line)
    if (metrics !== null) metricsPort = Number(metrics[1])
    const listening = /listening on .*:(\d+)$/.exec(line)
    if (listening !== null) return { port: Number(listening[1]), metricsPort }
  }
  throw new Error('a server ended before it listened')
}

/** Measures a server's CPU use from here on. */
export class Usage {
  readonly #server: ServerProcess
  readonly #startedAtMs = performance.now()
  readonly #cpuBefore: number
  readonly #waitedBefore: number | undefined

  constructor(server: ServerProcess) {
    this.#server = server
    this.#cpuBefore = server.cpuSeconds
    this.#waitedBefore = server.waitedSeconds
  }

  /** For a person, such as "98 % of a core, waited for one 3 % of the time". */
  get sentence(): string {
    const seconds = (performance.now() - this.#startedAtMs) / 1000
    const busy = percent((this.#server.cpuSeconds - this.#cpuBefore) / seconds)
    const { waitedSeconds } = this.#server
    if (waitedSeconds === undefined || this.#waitedBefore === undefined) return `${busy} of a core`
    return `${busy} of a core, waited for one ${percent((waitedSeconds - this.#waitedBefore) / seconds)} of the time`
  }
}
