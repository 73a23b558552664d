// Runs a server as a child process and reads its CPU time and memory from /proc (Linux).

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** `getconf CLK_TCK`: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

export class ServerProcess {
  readonly port: number
  /** From starting the process to its line "listening on …", in milliseconds. */
  readonly startMs: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number, startMs: number) {
    this.#process = process
    this.port = port
    this.startMs = startMs
  }

  /** Starts a script by its path from this folder; resolves when it says where it listens. */
  static async start(
    script: string,
    words: readonly string[] = [],
    nodeFlags: readonly string[] = [],
  ): Promise<ServerProcess> {
    const path = fileURLToPath(new URL(script, import.meta.url))
    const startedAtMs = performance.now()
    const child = spawn(process.execPath, [...nodeFlags, path, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${script} ended before it listened`)
    })
    ended.catch(() => undefined)
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
    return new ServerProcess(child, Number(line.split(':').at(-1)), performance.now() - startedAtMs)
  }

  static tracker(words: readonly string[]): Promise<ServerProcess> {
    const flags = process.env['TRACKER_NODE_FLAGS']?.split(' ') ?? []
    return ServerProcess.start('../../dist/tracker/main.js', ['127.0.0.1', '0', ...words], flags)
  }

  /** CPU time used so far by all threads of the process, in seconds. */
  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, which may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }

  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await exited
  }
}
