// A temporary folder with a tracker and clients in it. All of it is gone when the tests are over.

import { createCipheriv, createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { register, remember } from './accounts.ts'
import { Program, type Surroundings, type What } from './programs.ts'

export const pieceBytes = 512 * 1024
export const MiB = 1024 * 1024

export interface ClientOptions {
  readonly words?: readonly string[]
  /** Where it keeps what outlives it; by default a folder of its own name. */
  readonly dataFolder?: string
  readonly port?: number
}

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-integration-'))
  readonly #programs: Program[] = []
  readonly #clients: Program[] = []
  #trackerPort = 0
  /** As the tracker calls it, once somebody has an account. */
  #community = ''
  tracker!: Program

  /** With a tracker that listens. */
  static async make(): Promise<World> {
    const world = new World()
    await world.startTracker()
    return world
  }

  get trackerPort(): number {
    return this.#trackerPort
  }

  /** Again on the same port and the same data, where there was one before. */
  async startTracker(): Promise<void> {
    const words = ['127.0.0.1', String(this.#trackerPort), '--data-dir', join(this.folder, 'tracker-data')]
    this.tracker = this.run('tracker', 'tracker', words)
    const line = await this.tracker.until(/^tracker 1 listening on 127\.0\.0\.1:\d+$/)
    this.#trackerPort = Number(line.split(':').at(-1))
  }

  run(
    name: string,
    what: What,
    words: readonly string[],
    { cwd = this.folder, ...others }: Partial<Surroundings> = {},
  ): Program {
    const program = new Program(name, what, words, { cwd, home: join(this.folder, 'home'), ...others })
    this.#programs.push(program)
    return program
  }

  client(name: string, { words = [], dataFolder = name, port = 0 }: ClientOptions = {}): Program {
    const addresses = ['127.0.0.1', String(port), '127.0.0.1', String(this.#trackerPort)]
    const folder = join(this.folder, dataFolder)
    const client = this.run(name, 'client', [...addresses, '--data-dir', folder, ...words])
    this.#clients.push(client)
    return client
  }

  /** A client whose user has just been made and is logged in. */
  async user(name: string, options?: ClientOptions): Promise<Program> {
    const client = this.client(name, options)
    await this.account(name, options?.dataFolder)
    await client.does(`login ${name} secret`)
    return client
  }

  /** An account with the password `secret`, for the client with this data folder. */
  async account(user: string, dataFolder = user): Promise<void> {
    this.#community = await register({ host: '127.0.0.1', port: this.#trackerPort }, user, 'secret')
    await this.knows(dataFolder, user)
  }

  /** The client with this other data folder has seen the account before, too. */
  async knows(dataFolder: string, user: string): Promise<void> {
    await remember(this.path(dataFolder), this.#community, user, 'secret')
  }

  /** The client of a user that exists, started again and logged in. */
  async again(name: string, options?: ClientOptions): Promise<Program> {
    const client = this.client(name, options)
    await client.does(`login ${name} secret`)
    return client
  }

  /** Several new users at once. */
  users(...names: readonly string[]): Promise<Program[]> {
    return Promise.all(names.map((name) => this.user(name)))
  }

  /** A group of these: the first is its owner. */
  async group(group: string, owner: Program, ...members: readonly Program[]): Promise<void> {
    await owner.does(`create_group ${group}`)
    for (const member of members) {
      const before = member.mark()
      await member.does(`join_group ${group}`)
      await owner.does(`accept_request ${group} ${member.name}`)
      await member.until(`you are now a member of ${group}`, before)
    }
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts)
  }

  makeFolder(...parts: readonly string[]): string {
    const path = this.path(...parts)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** A file whose content follows from its seed alone, by default its name. */
  makeFile(name: string, sizeBytes: number, seed = name): string {
    const path = this.path(name)
    writeFileSync(path, contentOf(seed, sizeBytes))
    return path
  }

  async close(): Promise<void> {
    // A frozen program cannot hear anything but this.
    await Promise.all(this.#programs.map((program) => program.kill()))
    rmSync(this.folder, { recursive: true, force: true })
    // Warnings of Node, of files left open say, come whenever they like, and only here.
    const loud = this.#clients.filter(({ stderr }) => stderr.replaceAll(progressLine, '') !== '')
    if (loud.length > 0) throw new Error(loud.map(({ name, stderr }) => `${name}: ${stderr}`).join('\n'))
  }
}

/** What a client in a pipe says of what takes long, on a machine that is busy with tests. */
const progressLine = /^(hashing |verifying |\[|\d+ downloads).*: \d+ %, \d+ of \d+ bytes.*\n/gm

/** Bytes that look random and are the same at every run. */
export function contentOf(seed: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes))
}

export function isSame(one: string, other: string): boolean {
  return readFileSync(one).equals(readFileSync(other))
}
