// Sets up benchmarks of the real programs: starts a tracker and the members of one group, and makes files.
// Also reads memory and written bytes of a program.

import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from '../src/demo/program.ts'

export const group = 'bench'

export class Arena {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-bench-'))
  readonly #programs: Program[] = []
  readonly #encryption: readonly string[]
  #tracker = ''
  /** The line of a list of trackers. */
  #listed = ''
  #owner: Program | undefined

  /** `isEncrypted`: all connections, as between machines. */
  constructor(isEncrypted = false) {
    this.#encryption = isEncrypted ? ['--tls'] : []
  }

  /** `ip:port`. */
  get trackerAddress(): string {
    return this.#tracker
  }

  async startTracker(): Promise<void> {
    const tracker = new Program('tracker', 'tracker', [
      '127.0.0.1',
      '0',
      '--data-dir',
      join(this.folder, 'tracker'),
      ...this.#encryption,
    ])
    this.#programs.push(tracker)
    const line = await tracker.next((text) => text.includes('listening on'))
    this.#tracker = line.split(' ').at(-1) ?? ''
    const forLists = 'for the list of trackers: '
    this.#listed =
      this.#encryption.length === 0
        ? this.#tracker
        : (await tracker.next((text) => text.startsWith(forLists))).slice(forLists.length)
  }

  /** Starts a client, logs it in and makes it a member of the group; the first client creates the group. */
  async startMember(user: string, options: readonly string[] = [], port = 0): Promise<Program> {
    const client = this.#startClient(user, options, {}, port)
    await client.say(`create_user ${user} bench`)
    await client.say(`login ${user} bench`)
    if (this.#owner === undefined) {
      this.#owner = client
      await client.say(`create_group ${group}`)
    } else {
      await client.say(`join_group ${group}`)
      // The owner also prints a notification, before or after this reply, perhaps only of the number of requests.
      const reply = `${user} is now a member of ${group}`
      await this.#owner.say(`accept_request ${group} ${user}`, (line) => line === reply)
    }
    return client
  }

  /** Restarts the client of a member after it ended or was killed. */
  async restartMember(user: string, env: object = {}): Promise<Program> {
    const client = this.#startClient(user, [], env)
    await client.say(`login ${user} bench`)
    return client
  }

  /**
   * Runs the commands of a file in a client that is started only for them, or at the user's client where it runs. Rejects
   * when one of them fails.
   */
  async runScript(user: string, script: string, options: readonly string[] = []): Promise<void> {
    const client = this.#startClient(user, ['-f', script, ...options])
    client.process.stdin?.end()
    await client.ended()
    if (client.process.exitCode !== 0) throw new Error(`a command of ${script} failed`)
  }

  async close(): Promise<void> {
    for (const program of this.#programs) await program.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #startClient(user: string, options: readonly string[], env: object = {}, port = 0): Program {
    const list = join(this.folder, 'trackers.txt')
    writeFileSync(list, `${this.#listed}\n`)
    const home = ['--data-dir', join(this.folder, user)]
    const words = [`127.0.0.1:${port}`, list, ...home, ...this.#encryption, ...options]
    const client = new Program(user, 'client', words, env)
    this.#programs.push(client)
    return client
  }
}

/** Makes a file of random bytes in the folder of the arena; returns its path. */
export async function makeFile(arena: Arena, name: string, sizeMiB: number): Promise<string> {
  const path = join(arena.folder, name)
  const file = await open(path, 'w')
  for (let written = 0; written < sizeMiB; written += 16)
    await file.write(randomBytes(Math.min(16, sizeMiB - written) * 1024 * 1024))
  await file.close()
  return path
}

/** The peak resident memory of the process, in MiB (Linux). */
export function peakMiB({ process }: { readonly process: ChildProcess }): number {
  const status = readFileSync(`/proc/${process.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

/** Bytes that the process has written, mostly to sockets (Linux). */
export function writtenBytes({ process }: Program): number {
  return Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${process.pid}/io`, 'utf8'))?.[1])
}

/** Runs a benchmark in an arena, and always cleans up. */
export async function inArena(run: (arena: Arena) => Promise<void>, isEncrypted = false): Promise<void> {
  const arena = new Arena(isEncrypted)
  try {
    await arena.startTracker()
    await run(arena)
  } finally {
    await arena.close()
  }
}

/** The value at this share of an ascending list: 0.5 for the median. 0 for an empty list. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
