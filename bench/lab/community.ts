// A tracker and the members of one group, each on a machine of the lab. All of it is gone when the lab is over, however
// it ends.

import { randomFillSync } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from '../../src/demo/program.ts'
import { Member } from './member.ts'

export const group = 'lab'
export const MiB = 1024 * 1024
const secret = 'secret-of-the-lab'
/** Stands in each file in every so many bytes: what must not be found in a recording of an encrypted line. */
export const pattern = Buffer.from('[a line of a file that only members may read]')
const patternEveryBytes = 4096

export interface Place {
  /** Puts a command on a machine. */
  at(machine: string): string[]
}

export class Community {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-lab-'))
  readonly #place: Place
  readonly #programs: Program[] = []
  #list = ''
  #owner: Member | undefined
  #tracker: Program | undefined
  readonly #onExit = (): void => {
    for (const { process: child } of this.#programs) child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  constructor(place: Place) {
    this.#place = place
    process.once('exit', this.#onExit)
  }

  /**
   * `machine`: where it runs. `words`: more for its command line. Comes up with what one before it has left. Rejects when it
   * does not.
   */
  async startTracker(
    machine: string,
    host: string,
    port: number,
    words: readonly string[] = [],
  ): Promise<void> {
    const all = [
      host,
      String(port),
      '--data-dir',
      join(this.folder, 'tracker'),
      '--advertise',
      host,
      ...words,
    ]
    const tracker = new Program('tracker', 'tracker', all, {}, this.#place.at(machine))
    this.#programs.push(tracker)
    this.#tracker = tracker
    const forLists = 'for the list of trackers: '
    const line = await tracker.next((text) => text.startsWith(forLists))
    this.#list = join(this.folder, 'trackers.txt')
    writeFileSync(this.#list, `${line.slice(forLists.length)}\n`)
  }

  /** At once, without a word to anybody. */
  async killTracker(): Promise<void> {
    await this.#tracker?.kill()
  }

  /**
   * Starts a client there, which listens at this address, as a member; the first one owns the group. `words`: more for its
   * command line.
   */
  async startMember(machine: string, address: string, words: readonly string[] = []): Promise<Member> {
    const member = this.#startClient(machine, address, words)
    await member.does(`create_user ${machine} ${secret}`, `login ${machine} ${secret}`)
    if (this.#owner === undefined) {
      this.#owner = member
      await member.does(`create_group ${group}`)
    } else {
      await member.does(`join_group ${group}`)
      await this.#owner.does(`accept_request ${group} ${machine}`)
    }
    return member
  }

  /** Likewise the client of a member that is gone. */
  async startAgain(machine: string, address: string, words: readonly string[] = []): Promise<Member> {
    const member = this.#startClient(machine, address, words)
    await member.does(`login ${machine} ${secret}`)
    return member
  }

  /** Makes a file of random bytes, with the pattern in it everywhere; its path. */
  makeFile(name: string, sizeBytes: number): string {
    const path = this.path(name)
    const file = openSync(path, 'w')
    const block = Buffer.alloc(MiB)
    for (let written = 0; written < sizeBytes; written += block.length) {
      randomFillSync(block)
      for (let at = 0; at < block.length; at += patternEveryBytes) pattern.copy(block, at)
      writeSync(file, block, 0, Math.min(block.length, sizeBytes - written))
    }
    closeSync(file)
    return path
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  async close(): Promise<void> {
    for (const program of this.#programs) await program.kill()
    this.#onExit()
    process.off('exit', this.#onExit)
  }

  #startClient(machine: string, address: string, words: readonly string[]): Member {
    const all = [address, this.#list, '--data-dir', this.path(machine), ...words]
    const member = new Member(machine, all, this.#place.at(machine))
    this.#programs.push(member.program)
    return member
  }
}
