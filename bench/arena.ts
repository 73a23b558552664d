// What every benchmark of the real programs needs: a tracker, members of one group, a file, figures.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from '../src/demo/program.ts'

export const group = 'bench'

export class Arena {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-bench-'))
  readonly #programs: Program[] = []
  #tracker = ''
  #owner: Program | undefined

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
    ])
    this.#programs.push(tracker)
    const line = await tracker.next((text) => text.includes('listening on'))
    this.#tracker = line.split(' ').at(-1) ?? ''
  }

  /** A client that is logged in and a member of the group; the first one owns it. */
  async startMember(user: string, options: readonly string[] = []): Promise<Program> {
    const client = this.#startClient(user, options)
    await client.say(`create_user ${user} bench`)
    await client.say(`login ${user} bench`)
    if (this.#owner === undefined) {
      this.#owner = client
      await client.say(`create_group ${group}`)
    } else {
      await client.say(`join_group ${group}`)
      // The owner is told of the request: its line must not be taken for the reply.
      await this.#owner.next((line) => line.startsWith(`${user} asks to join`))
      await this.#owner.say(`accept_request ${group} ${user}`)
    }
    return client
  }

  /** The client of a member once more, after it has ended or was killed. */
  async restartMember(user: string): Promise<Program> {
    const client = this.#startClient(user, [])
    await client.say(`login ${user} bench`)
    return client
  }

  async close(): Promise<void> {
    for (const program of this.#programs) await program.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #startClient(user: string, options: readonly string[]): Program {
    const [host = '', port = ''] = this.#tracker.split(':')
    const words = ['127.0.0.1', '0', host, port, '--data-dir', join(this.folder, user), ...options]
    const client = new Program(user, 'client', words)
    this.#programs.push(client)
    return client
  }
}

/** A file of random bytes in the folder of the arena; its path. */
export async function makeFile(arena: Arena, name: string, sizeMiB: number): Promise<string> {
  const path = join(arena.folder, name)
  const file = await open(path, 'w')
  for (let written = 0; written < sizeMiB; written += 16)
    await file.write(randomBytes(Math.min(16, sizeMiB - written) * 1024 * 1024))
  await file.close()
  return path
}

/** The most memory that the process ever had resident, in MiB (Linux). */
export function peakMiB(program: Program): number {
  const status = readFileSync(`/proc/${program.process.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

/** Runs a benchmark in an arena that is cleaned up whatever happens. */
export async function inArena(run: (arena: Arena) => Promise<void>): Promise<void> {
  const arena = new Arena()
  try {
    await arena.startTracker()
    await run(arena)
  } finally {
    await arena.close()
  }
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
