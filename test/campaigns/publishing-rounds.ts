// Kills a downloading client right before each call that changes the file system, from the last piece to the share, one
// call at a time. Each time checks what is there, and what the next run makes of it.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { group, type Arena } from '../../bench/arena.ts'
import type { Program } from '../../src/demo/program.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { EntryVersions, type EntryShape } from './entry-versions.ts'
import { startKnownMember } from './known-member.ts'

export interface Publishing {
  readonly shape: EntryShape
  /** What is at the destination: nothing, something else, the version before, or already what is to be there. */
  readonly over: 'nothing' | 'another' | 'earlier' | 'same'
  /** How it comes: by a command each time, or by a standing wish, as a new version each time. */
  readonly by: 'command' | 'wish'
}

export const smallFile: EntryShape = { kind: 'file', largePieces: 3 }
export const smallFolder: EntryShape = { kind: 'folder', largePieces: 2, smallFiles: 2 }
/** Of more than 2 MiB: it lends its pieces to the next version, and a thread writes that. */
export const lendingFolder: EntryShape = { kind: 'folder', largePieces: 10, smallFiles: 2 }

export interface PublishingFigures {
  /** The calls before which the client was killed, one each time. */
  readonly calls: readonly string[]
  /** What was wrong, as sentences. */
  readonly faults: readonly string[]
}

const preloaded = fileURLToPath(new URL('inside/kill-at-call.mjs', import.meta.url))
const user = 'victim'
const old = 'what was there before'

/** `isTried`: whether to kill before this call, by its name and path; without it, before each. */
export async function killInPublishing(
  arena: Arena,
  publishing: Publishing,
  isTried: (call: string, callsAfter: readonly string[]) => boolean = () => true,
): Promise<PublishingFigures> {
  const place = await Place.make(arena, publishing)
  const { calls, first } = await place.callsOf()
  const tried: string[] = []
  const faults: string[] = []
  for (let call = first; call < calls.length; call++) {
    const name = calls[call] ?? ''
    if (!isTried(name, calls.slice(call + 1))) continue
    tried.push(name)
    const said = await place.killedBefore(call + 1)
    faults.push(...said.map((fault) => `killed before call ${call + 1}, "${place.lastCall}": ${fault}`))
  }
  return { calls: tried, faults }
}

class Place {
  readonly #arena: Arena
  readonly #publishing: Publishing
  readonly #seeder: Program
  readonly #versions: EntryVersions
  readonly #into: string
  readonly #destination: string
  readonly #log: string
  /** What is to be published; the one before may be there. */
  #version = 0

  static async make(arena: Arena, publishing: Publishing): Promise<Place> {
    const seeder = await arena.startMember('seeder')
    const place = new Place(arena, publishing, seeder)
    await place.#shareNext()
    const client = await startKnownMember(arena, seeder, user)
    if (publishing.by === 'wish') {
      await client.say(`subscribe ${group} data* ${place.#into}`)
      await place.#untilShared(client)
    } else await place.#shareNext()
    await client.quit()
    return place
  }

  private constructor(arena: Arena, publishing: Publishing, seeder: Program) {
    this.#arena = arena
    this.#publishing = publishing
    this.#seeder = seeder
    this.#versions = new EntryVersions(arena.folder, publishing.shape, seededRandom(1))
    this.#into = join(arena.folder, 'into')
    this.#destination = join(this.#into, this.#versions.name)
    this.#log = join(arena.folder, 'calls')
    mkdirSync(this.#into)
  }

  /** The last call of the client that was killed. */
  get lastCall(): string {
    return this.#calls().at(-1) ?? ''
  }

  /** The calls of a whole download, until the share is remembered, and how many come before what is tried. */
  async callsOf(): Promise<{ calls: string[]; first: number }> {
    const { client, before } = await this.#begin(0)
    await this.#untilShared(client)
    const calls = this.#calls()
    await this.#end(client)
    const lastPiece = calls.findLastIndex((call) => call.startsWith('write ')) + 1
    return { calls, first: this.#publishing.over === 'same' ? before : lastPiece }
  }

  async killedBefore(call: number): Promise<string[]> {
    const faults: string[] = []
    const client = await this.#begin(call).then(
      (begun) => begun.client,
      () => undefined,
    )
    if (client !== undefined) await this.#untilKilledOrDone(client)
    faults.push(...this.#faultsAtRest())
    const again = await this.#arena.restartMember(user)
    if (this.#publishing.over === 'same') await again.say(this.#command)
    await this.#untilShared(again)
    if (!this.#versions.isAt(this.#destination, this.#version)) faults.push('it is not the original')
    const names = readdirSync(this.#into)
    if (names.length !== 1) faults.push(`something is left over: ${names.join(', ')}`)
    const journals = join(this.#arena.folder, user, 'journals')
    if (existsSync(journals) && readdirSync(journals).length > 0) faults.push('a journal is left')
    if (this.#publishing.over === 'another' && (statSync(this.#destination).mode & 0o777) !== 0o640)
      faults.push('the mode differs')
    await this.#end(again)
    return faults
  }

  /** What is wrong when nothing runs. */
  #faultsAtRest(): string[] {
    if (this.#versions.isAt(this.#destination, this.#version)) return []
    if (!existsSync(this.#destination)) {
      if (this.#publishing.over === 'nothing') return []
      // Between the two names of a swap the old one stands aside.
      const aside = `${this.#destination}.replaced.part`
      return this.#versions.isAt(aside, this.#version - 1) ? [] : ['what was there is gone']
    }
    const isAsBefore =
      this.#publishing.over === 'another'
        ? readFileSync(this.#destination, 'utf8') === old
        : this.#versions.isAt(this.#destination, this.#version - 1)
    return isAsBefore ? [] : ['the destination is neither unchanged nor wholly new']
  }

  get #command(): string {
    const command = `download_file ${group} ${this.#versions.name} ${this.#into}`
    const { over } = this.#publishing
    if (over === 'nothing') return command
    return `${command} ${over === 'same' ? '--adopt' : '--overwrite'}`
  }

  #calls(): string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').split('\n').filter(Boolean) : []
  }

  async #shareNext(): Promise<void> {
    this.#version++
    await this.#seeder.say(`upload_file ${this.#versions.next()} ${group}`)
  }

  /** Rejects when the client was killed. `before`: its calls until then. */
  async #begin(killAt: number): Promise<{ client: Program; before: number }> {
    const { over, by } = this.#publishing
    rmSync(this.#log, { force: true })
    if (by === 'command') {
      rmSync(this.#into, { recursive: true })
      mkdirSync(this.#into)
      if (over === 'another') {
        writeFileSync(this.#destination, old)
        chmodSync(this.#destination, 0o640)
      } else if (over !== 'nothing')
        this.#versions.put(over === 'same' ? this.#version : this.#version - 1, this.#destination)
    }
    const client = await this.#arena.restartMember(user, {
      NODE_OPTIONS: `--import=${preloaded}`,
      COTERIE_KILL_AT_CALL: String(killAt),
      COTERIE_CALL_LOG: this.#log,
    })
    if (by === 'wish') await this.#untilShared(client)
    const before = this.#calls().length
    if (by === 'wish') await this.#shareNext()
    else await client.say(this.#command)
    return { client, before }
  }

  async #end(client: Program): Promise<void> {
    if (this.#publishing.by === 'command') await client.say(`stop_share ${group} ${this.#versions.name}`)
    await client.quit()
  }

  /** Another run may make fewer calls: whoever comes through without a kill ends by itself. */
  async #untilKilledOrDone(client: Program): Promise<void> {
    try {
      await this.#untilShared(client)
    } catch {
      // Killed. What is left on the disk is looked at next.
    }
    await client.quit()
  }

  /** Waits until this client is the second seeder and its download is over: with only a part it is listed as well. */
  async #untilShared(client: Program): Promise<void> {
    for (let look = 0; look < 600; look++) {
      const isListed = (await client.say(`list_files ${group}`, isListing)).endsWith('2 seeders')
      if (isListed && !(await client.say('show_downloads', isDownloads)).startsWith('[D]')) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error('what was downloaded is not shared')
  }
}

/** Other lines may come first. */
function isListing(line: string): boolean {
  return line.startsWith('data')
}

function isDownloads(line: string): boolean {
  return line.startsWith('[') || line === 'no downloads'
}
