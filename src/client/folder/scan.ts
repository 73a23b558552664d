// Looks through a folder that is to be shared: which files are in it, and by what they are recognised. Follows no link
// inside. It refuses, by name, what others could not have in the same way.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  opendirSync,
  openSync,
  type BigIntStats,
} from 'node:fs'
import { sentenceOf, systemCode } from '../../common/failure.ts'
import { treeFilesMax, treePathBytesMax } from '../../common/limits.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { fileNameProblem } from '../../common/names.ts'
import { pathBoundsProblem, SameNames } from '../../common/tree/paths.ts'
import type { TreeEntry } from '../../common/tree/tree.ts'
import {
  capacityOf,
  emptyStamps,
  grown,
  setStamp,
  stampsFrom,
  type FolderStamps,
  type Spellings,
} from './folder-stamps.ts'

export interface ScanOptions {
  /** Leave out links, sockets, devices and pipes instead of refusing the folder. */
  readonly skipSpecial: boolean
  /** Files and folders that count as special, by device and inode (`1:234`), each with what is wrong with it. */
  readonly apart: readonly (readonly [id: string, why: string])[]
}

export interface FolderScan {
  /** In the order of their paths. */
  readonly entries: readonly TreeEntry[]
  readonly stamps: FolderStamps
  readonly spellings: Spellings
  /** What was left out, by path: the first few … */
  readonly skipped: readonly string[]
  /** … and how many in all. */
  readonly skippedCount: number
}

/** Looks between two stops of `scanFolder`, which take a millisecond. */
const looksAtOnce = 100
const skippedNamed = 20

/** Looks through the folder at `root`, itself followed if it is a link. Stops every now and then. */
export function* scanFolder(root: string, options: ScanOptions): Generator<void, Answer<FolderScan>> {
  return yield* new FolderScanner(options).scan(root)
}

/** Ends the scan. Only thrown within this file. */
class Refused extends Error {
  readonly answer: Answer<never>

  constructor(answer: Answer<never>) {
    super('refused')
    this.answer = answer
  }
}

/** A folder on the way: `path` within the root, as shared; `there` where the system finds it. */
interface Place {
  readonly path: string
  readonly onDisk: string
  readonly there: string
}

class FolderScanner {
  readonly #options: ScanOptions
  readonly #apart: ReadonlyMap<string, string>
  readonly #names = new SameNames()
  readonly #entries: TreeEntry[] = []
  readonly #spellings: (readonly [string, string])[] = []
  readonly #skipped: string[] = []
  #stamps = emptyStamps(64)
  #skippedCount = 0
  #pathBytes = 0
  #looks = 0

  constructor(options: ScanOptions) {
    this.#options = options
    this.#apart = new Map(options.apart)
  }

  *scan(root: string): Generator<void, Answer<FolderScan>> {
    try {
      yield* this.#folder({ path: '', onDisk: '', there: root }, 0)
    } catch (error) {
      if (error instanceof Refused) return error.answer
      throw error
    }
    return accept({
      entries: this.#entries,
      stamps: stampsFrom(this.#stamps, 0, this.#entries.length).slice(),
      spellings: this.#spellings,
      skipped: this.#skipped,
      skippedCount: this.#skippedCount,
    })
  }

  *#folder(place: Place, depth: number): Generator<void> {
    const { path, there } = place
    // Only the root may be a link.
    const links = depth === 0 ? 0 : constants.O_NOFOLLOW
    const fd = trying(path, () => openSync(there, constants.O_RDONLY | constants.O_DIRECTORY | links))
    try {
      const within = hasDescriptors ? `/proc/self/fd/${fd}` : there
      const before = this.#entries.length
      const spelt = this.#spelt(yield* this.#namesIn(within, path), path)
      for (const [name, onDisk] of spelt) {
        const inside = {
          path: join(path, name),
          onDisk: join(place.onDisk, onDisk),
          there: `${within}/${onDisk}`,
        }
        if (++this.#looks % looksAtOnce === 0) yield
        if (this.#isFolder(inside, depth + 1)) yield* this.#folder(inside, depth + 1)
      }
      // Those that have something in them follow from its paths.
      if (this.#entries.length === before && depth > 0) this.#add(place, undefined)
    } finally {
      closeSync(fd)
    }
  }

  /** A few at a time, as there may be very many. */
  *#namesIn(within: string, path: string): Generator<void, string[]> {
    const folder = trying(path, () => opendirSync(within))
    try {
      const names: string[] = []
      for (;;) {
        const next = trying(path, () => folder.readSync())
        if (next === null) return names
        names.push(next.name)
        if (names.length % looksAtOnce === 0) yield
      }
    } finally {
      folder.closeSync()
    }
  }

  /** Adds what is there, unless that is a folder. */
  #isFolder(place: Place, depth: number): boolean {
    const { path, there } = place
    this.#check(path, depth)
    const stats = trying(path, () => lstatSync(there, { bigint: true }))
    const apart = this.#apart.get(`${stats.dev}:${stats.ino}`)
    if (apart !== undefined) this.#skip(path, apart)
    else if (stats.isDirectory()) return true
    else if (!stats.isFile()) this.#skip(path, `is ${kindOf(stats)}`)
    else {
      trying(path, () => accessSync(there, constants.R_OK))
      this.#add(place, stats)
    }
    return false
  }

  /** `stats`: of a file; undefined for an empty folder. */
  #add({ path, onDisk }: Place, stats: BigIntStats | undefined): void {
    const index = this.#entries.length
    if (index === treeFilesMax)
      throw new Refused(
        refuse('local-file', `a folder may have ${treeFilesMax} files, and this one has more`),
      )
    this.#pathBytes += Buffer.byteLength(path)
    if (this.#pathBytes > treePathBytesMax)
      throw new Refused(refuse('local-file', 'the paths in this folder are too long together'))
    const same = this.#names.add(path)
    if (same !== undefined) throw new Refused(refuse('bad-name', `${same}; rename one`))
    if (path !== onDisk) this.#spellings.push([path, onDisk])
    if (capacityOf(this.#stamps) === index) this.#stamps = grown(this.#stamps)
    if (stats === undefined) {
      this.#entries.push({ path, kind: 'folder' })
      return
    }
    setStamp(this.#stamps, index, stats)
    this.#entries.push({
      path,
      kind: (stats.mode & 0o111n) === 0n ? 'file' : 'executable',
      sizeBytes: Number(stats.size),
      mtimeSeconds: secondsOf(stats.mtimeNs),
    })
  }

  #check(path: string, depth: number): void {
    const problem = pathBoundsProblem(path, depth)
    if (problem !== undefined) throw new Refused(refuse('bad-name', problem))
  }

  #skip(path: string, why: string): void {
    if (!this.#options.skipSpecial)
      throw new Refused(
        refuse('local-file', `${path} ${why}, which cannot be shared; --skip-special leaves such files out`),
      )
    this.#skippedCount++
    if (this.#skipped.length < skippedNamed) this.#skipped.push(path)
  }

  /** The names in a folder as they are shared, in order, each with that on disk. */
  #spelt(names: readonly string[], path: string): (readonly [name: string, onDisk: string])[] {
    const spelt = names.map((onDisk) => [onDisk.normalize('NFC'), onDisk] as const)
    spelt.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    for (const [index, [name, onDisk]] of spelt.entries()) {
      const problem = plain.test(name) ? undefined : nameProblem(name, onDisk)
      if (problem !== undefined) throw new Refused(refuse('bad-name', `${join(path, name)}: ${problem}`))
      if (spelt[index - 1]?.[0] === name)
        throw new Refused(
          refuse('bad-name', `${join(path, name)} is there twice, in two spellings of one name; rename one`),
        )
    }
    return spelt
  }
}

/** Names that need no closer look: most of them. */
const plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/

function nameProblem(name: string, onDisk: string): string | undefined {
  if (onDisk.includes('\ufffd')) return 'its name is not valid UTF-8; rename it'
  return fileNameProblem(name)
}

/** Where a folder can be opened by its descriptor, nobody can put a link in its place meanwhile. */
const hasDescriptors = process.platform === 'linux' && existsSync('/proc/self/fd')

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** Throws `Refused`, with the path, when the system refuses. */
function trying<T>(path: string, look: () => T): T {
  try {
    return look()
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    const what = path === '' ? 'the folder' : path
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP')
      throw new Refused(refuse('file-changed', `${what} changed while it was looked at; try again`))
    throw new Refused(refuse('local-file', `${what} cannot be read: ${sentenceOf(error)}`))
  }
}

/** Rounded down, also before 1970. */
function secondsOf(ns: bigint): number {
  return Number(ns / 1_000_000_000n) - (ns % 1_000_000_000n < 0n ? 1 : 0)
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return 'a link'
  if (stats.isFIFO()) return 'a pipe'
  return stats.isSocket() ? 'a socket' : 'a device'
}
