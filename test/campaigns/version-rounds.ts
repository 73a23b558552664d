// Kills a client with kill -9, again and again, while a standing wish brings it one version after the other, and counts
// what was fetched more than once. At every kill the destination must be wholly the old or wholly the new version.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { group, writtenBytes, type Arena } from '../../bench/arena.ts'
import { pieceBytes } from '../../src/common/limits.ts'
import { hashesOfPiece, lengthOfPiece, parseManifest, type Manifest } from '../../src/common/manifest.ts'
import type { Program } from '../../src/demo/program.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { EntryVersions, type EntryShape } from './entry-versions.ts'
import { startKnownMember } from './known-member.ts'

export interface VersionsPlan {
  readonly shape: EntryShape
  readonly kills: number
  readonly seed: number
  /**
   * A client dies at a random moment, at first at most this many milliseconds after its login; later, where no version
   * comes in so short a time, or each does, at most a little longer or shorter.
   */
  readonly longestLifeMs: number
}

export interface VersionsFigures {
  readonly kills: number
  readonly versions: number
  /** Kills before the new version stood at the destination. */
  readonly beforeTheSwap: number
  /** Kills when neither had the name: the old one stood aside. */
  readonly amidTheSwap: number
  /** What had to be fetched, as pieces of the full length. */
  readonly pieces: number
  /** What the seeder sent; more than `pieces` was fetched again. */
  readonly piecesSent: number
  /** What was wrong, as sentences. */
  readonly faults: readonly string[]
}

const user = 'victim'

export async function killBetweenVersions(arena: Arena, plan: VersionsPlan): Promise<VersionsFigures> {
  return new VersionRounds(arena, plan).run()
}

class VersionRounds {
  readonly #arena: Arena
  readonly #plan: VersionsPlan
  readonly #random: () => number
  readonly #versions: EntryVersions
  readonly #into: string
  readonly #destination: string
  readonly #faults: string[] = []
  #version = 0
  #kills = 0
  #longestLifeMs: number
  #beforeTheSwap = 0
  #amidTheSwap = 0

  constructor(arena: Arena, plan: VersionsPlan) {
    this.#arena = arena
    this.#plan = plan
    this.#longestLifeMs = plan.longestLifeMs
    this.#random = seededRandom(plan.seed)
    this.#versions = new EntryVersions(arena.folder, plan.shape, this.#random)
    this.#into = join(arena.folder, 'into')
    this.#destination = join(this.#into, this.#versions.name)
    mkdirSync(this.#into)
  }

  async run(): Promise<VersionsFigures> {
    const seeder = await this.#arena.startMember('seeder')
    let client = await startKnownMember(this.#arena, seeder, user)
    await client.say(`subscribe ${group} data* ${this.#into}`)
    let [missingBytes, sentBytes] = [0, 0]
    let before: Manifest | undefined
    while (this.#kills < this.#plan.kills) {
      const known = new Set(this.#manifests())
      const path = this.#versions.next()
      this.#version++
      // With the little that it keeps of it itself.
      const writtenBefore = writtenBytes(seeder)
      await seeder.say(`upload_file ${path} ${group}`)
      const manifest = this.#manifestBeside(known)
      client = await this.#untilThere(client)
      sentBytes += writtenBytes(seeder) - writtenBefore
      missingBytes += missingIn(manifest, before)
      before = manifest
    }
    return {
      kills: this.#kills,
      versions: this.#version,
      beforeTheSwap: this.#beforeTheSwap,
      amidTheSwap: this.#amidTheSwap,
      pieces: missingBytes / pieceBytes,
      piecesSent: sentBytes / pieceBytes,
      faults: this.#faults,
    }
  }

  /** Kills it until it lives long enough to fetch and share the version. Resolves to the client that runs then. */
  async #untilThere(begun: Program): Promise<Program> {
    let client = begun
    const killsBefore = this.#kills
    while (!(await this.#isShared(client))) {
      await client.kill()
      this.#kills++
      if (this.#kills - killsBefore > 3) this.#longestLifeMs *= 1.2
      this.#look()
      client = await this.#arena.restartMember(user)
    }
    if (this.#kills - killsBefore < 2) this.#longestLifeMs *= 0.8
    const where = `version ${this.#version}, seed ${this.#plan.seed}`
    if (!this.#versions.isAt(this.#destination, this.#version)) this.#faults.push(`${where}: it is not there`)
    const names = readdirSync(this.#into)
    if (names.length !== 1) this.#faults.push(`${where}: something is left over: ${names.join(', ')}`)
    return client
  }

  /** False when its time is over before. */
  async #isShared(client: Program): Promise<boolean> {
    const isLast = this.#kills >= this.#plan.kills
    const endsAtMs = isLast
      ? performance.now() + 60_000
      : performance.now() + this.#random() * this.#longestLifeMs
    while (performance.now() < endsAtMs) {
      const isListed = (await client.say(`list_files ${group}`, isListing)).endsWith('2 seeders')
      if (isListed && !(await client.say('show_downloads', isDownloads)).startsWith('[D]')) return true
      await setTimeout(Math.min(25, Math.max(0, endsAtMs - performance.now())))
    }
    if (isLast) {
      const why = await client.say(`why ${group} ${this.#versions.name}`)
      this.#faults.push(`version ${this.#version}, seed ${this.#plan.seed}: it does not come: ${why}`)
    }
    return isLast
  }

  /** At what the killed client has left. */
  #look(): void {
    if (this.#versions.isAt(this.#destination, this.#version)) return
    this.#beforeTheSwap++
    if (this.#version === 1 && !existsSync(this.#destination)) return
    if (this.#versions.isAt(this.#destination, this.#version - 1)) return
    const aside = `${this.#destination}.replaced.part`
    if (!existsSync(this.#destination) && this.#versions.isAt(aside, this.#version - 1)) this.#amidTheSwap++
    else
      this.#faults.push(
        `version ${this.#version}, kill ${this.#kills}, seed ${this.#plan.seed}: neither the old version nor the new one is there`,
      )
  }

  /** The names of the manifests that the seeder keeps. */
  #manifests(): string[] {
    const folder = join(this.#arena.folder, 'seeder', 'manifests')
    return existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]+$/.test(name)) : []
  }

  #manifestBeside(known: ReadonlySet<string>): Manifest {
    const name = this.#manifests().find((one) => !known.has(one)) ?? ''
    const manifest = parseManifest(readFileSync(join(this.#arena.folder, 'seeder', 'manifests', name)))
    if (manifest === undefined) throw new Error('the seeder has no manifest of the new version')
    return manifest
  }
}

/** Bytes of the pieces that the version before has not. */
function missingIn(manifest: Manifest, before: Manifest | undefined): number {
  const there = new Set<string>()
  for (let index = 0; index < (before?.pieceCount ?? 0); index++)
    if (before !== undefined) there.add(hashesOfPiece(before, index).toString('latin1'))
  let bytes = 0
  for (let index = 0; index < manifest.pieceCount; index++)
    if (!there.has(hashesOfPiece(manifest, index).toString('latin1'))) bytes += lengthOfPiece(manifest, index)
  return bytes
}

/** Other lines may come first. */
function isListing(line: string): boolean {
  return line.startsWith('data') || line === `no files in ${group}`
}

function isDownloads(line: string): boolean {
  return line.startsWith('[') || line === 'no downloads'
}
