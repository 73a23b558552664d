// Runs bundles with what V8 compiled of them before: to read the client's source anew takes 60 ms of each start.

import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { systemCode } from './failure.ts'

export interface KeptCodeOptions {
  /** The file of the compiled code; its folder is made when there is something to keep. Undefined for none. */
  readonly keptIn: string | undefined
  /** Sets V8's flags as they are now: the bundle may have set others. */
  readonly setFlags: () => void
}

/** What the first bundle exports: whether this run has used so much of it that what was compiled is worth keeping. */
export interface Bundle {
  readonly isWorthKeeping?: () => boolean
}

/** SHA-256. */
const hashBytes = 32

/** A bug, or a failure. */
const failed = 1

/**
 * Runs a bundle of CommonJS in ASCII, and whichever others it requires by relative paths. For all of them `import.meta.url`
 * is `$moduleUrl`, the place of the first; none of them imports: Node 20 forgets for kept code where that would come from.
 * What V8 compiled by the end of the first run that was worth it is kept. Another source or Node, and by V8's own check
 * other flags, makes it void.
 */
export function runWithKeptCode(url: URL, { keptIn, setFlags }: KeptCodeOptions): void {
  const bundles = new Bundles(url, keptIn === undefined ? undefined : openKept(keptIn, fileURLToPath(url)))
  const main = bundles.run(url) as Bundle
  if (keptIn === undefined) return
  process.once('exit', (code) => {
    if (!bundles.hasNew || code === failed || main.isWorthKeeping?.() === false || !canKeep(keptIn)) return
    setFlags()
    keep(keptIn, bundles.code())
  })
}

/** A bundle that runs, or has. */
interface Running {
  exports: object
  readonly script: Script
  /** The source and this Node. */
  readonly about: ReturnType<typeof createHash>
  /** V8 has taken what was kept of it. */
  readonly isTaken: boolean
}

/** The bundles of a program. Each runs once, where it is required. */
class Bundles {
  readonly #main: URL
  readonly #kept: KeptFile | undefined
  readonly #node = programOfNode()
  readonly #requireOther: NodeJS.Require
  /** By the path from the first one. */
  readonly #running = new Map<string, Running>()

  constructor(main: URL, kept: KeptFile | undefined) {
    this.#main = main
    this.#kept = kept
    this.#requireOther = createRequire(main)
  }

  /** Returns what it exports. Throws what the system says where it cannot be read: the build may have been replaced. */
  run(url: URL): object {
    const name = url.href.slice(new URL('.', this.#main).href.length)
    const known = this.#running.get(name)
    if (known !== undefined) return known.exports
    const filename = fileURLToPath(url)
    const source = readFileSync(filename, 'latin1')
    const about = createHash('sha256').update(source, 'latin1').update(this.#node)
    const kept = checked(this.#kept?.bytes(name), about)
    const script = new Script(`(function (require, module, exports, $moduleUrl) {${source}\n})`, {
      filename,
      ...(kept !== undefined && { cachedData: kept.subarray(hashBytes) }),
    })
    const module = { exports: {} }
    const running = { exports: module.exports, script, about, isTaken: script.cachedDataRejected === false }
    this.#running.set(name, running)
    const require = (wanted: string): unknown =>
      wanted.startsWith('.') ? this.run(new URL(wanted, url)) : this.#requireOther(wanted)
    const run = script.runInThisContext() as (...words: unknown[]) => void
    run(require, module, module.exports, this.#main.href)
    // esbuild exports by getters, so that others would see what is assigned later. Nothing is, and a function call for each
    // use took a download 0.3 s of processor time per gigabyte.
    running.exports = { ...module.exports }
    return running.exports
  }

  /** Whether V8 has compiled one of them anew. */
  get hasNew(): boolean {
    return [...this.#running.values()].some(({ isTaken }) => !isTaken)
  }

  /** By name: what is compiled of those that ran, and what was kept of others that are still there. */
  code(): ReadonlyMap<string, Buffer> {
    const code = new Map<string, Buffer>()
    for (const name of this.#kept?.names() ?? []) {
      const bytes = existsSync(new URL(name, this.#main)) ? this.#kept?.bytes(name) : undefined
      if (bytes !== undefined) code.set(name, bytes)
    }
    for (const [name, { script, about, isTaken }] of this.#running) {
      if (isTaken && code.has(name)) continue
      const compiled = script.createCachedData()
      code.set(name, Buffer.concat([about.copy().update(compiled).digest(), compiled]))
    }
    return code
  }
}

/** Two builds of one version of Node may have different V8s. */
function programOfNode(): string {
  const { size, mtimeMs } = statSync(process.execPath)
  return `${process.version} ${process.platform} ${process.arch} ${size} ${mtimeMs}`
}

/** V8 runs whatever it is given, damaged or not. */
function checked(kept: Buffer | undefined, about: ReturnType<typeof createHash>): Buffer | undefined {
  if (kept === undefined) return undefined
  const hash = about.copy().update(kept.subarray(hashBytes)).digest()
  return hash.equals(kept.subarray(0, hashBytes)) ? kept : undefined
}

/** The first line is a list of these: where what was kept of which bundle lies behind that line. */
type Place = readonly [name: string, from: number, to: number]

/** What was kept, read as it is asked for: a client holds none of it while it runs. */
class KeptFile {
  readonly #file: number
  readonly #codeAt: number
  readonly #places: ReadonlyMap<string, Place>

  /** `codeAt`: where the first line has ended. */
  constructor(file: number, codeAt: number, places: readonly Place[]) {
    this.#file = file
    this.#codeAt = codeAt
    this.#places = new Map(places.map((place) => [place[0], place]))
  }

  /** Of whichever bundles. */
  names(): Iterable<string> {
    return this.#places.keys()
  }

  /** What V8 compiled of a bundle, behind a hash of its source, the Node and that; to be checked. Undefined for none. */
  bytes(name: string): Buffer | undefined {
    const [, from, to] = this.#places.get(name) ?? [name, 0, 0]
    const bytes = Buffer.allocUnsafeSlow(to - from)
    try {
      return readSync(this.#file, bytes, 0, bytes.length, this.#codeAt + from) > hashBytes ? bytes : undefined
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return undefined
    }
  }
}

/** Longer than a first line with all bundles. */
const firstLineBytesMax = 16 * 1024

/** Undefined where there is none, or others may have written it, or it is another kind of file. */
function openKept(path: string, bundle: string): KeptFile | undefined {
  let file: number | undefined
  let opened: KeptFile | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const stats = fstatSync(file)
    const isOwn = isOf(stats, [process.getuid?.(), 0, statSync(bundle).uid])
    opened = isOwn ? keptFile(file, stats.size) : undefined
    return opened
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  } finally {
    // It stays open for parts that are loaded later: another process may put a newer one in its place.
    if (file !== undefined && opened === undefined) closeSync(file)
  }
}

/** Undefined for a damaged file, or one of a version that kept one bundle. */
function keptFile(file: number, size: number): KeptFile | undefined {
  const start = Buffer.alloc(Math.min(size, firstLineBytesMax))
  const end = start.subarray(0, readSync(file, start, 0, start.length, 0)).indexOf('\n')
  const places = end === -1 ? undefined : placesOf(start.toString('latin1', 0, end))
  const isPlace = (place: unknown): boolean => isPlaceIn(place, size)
  return Array.isArray(places) && places.every(isPlace)
    ? new KeptFile(file, end + 1, places as readonly Place[])
    : undefined
}

function placesOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isPlaceIn(place: unknown, size: number): boolean {
  if (!Array.isArray(place)) return false
  const [name, from, to] = place as readonly unknown[]
  return (
    typeof name === 'string' &&
    /^(?:[\w-]+\/)?[\w-]+\.cjs$/.test(name) &&
    [from, to].every(Number.isSafeInteger) &&
    Number(from) >= 0 &&
    Number(from) <= Number(to) &&
    Number(to) <= size
  )
}

/** Whether it belongs to one of these, and nobody else can write there. */
function isOf({ uid, mode }: Stats, users: readonly (number | undefined)[]): boolean {
  return users.includes(uid) && (mode & 0o022) === 0
}

/** Makes the last folder alone: one that is gone with its parent was removed meanwhile. */
function canKeep(path: string): boolean {
  const folder = dirname(path)
  try {
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
    const stats = statSync(folder)
    return stats.isDirectory() && isOf(stats, [process.getuid?.()])
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return false
  }
}

/** Whole or not at all: others may be starting. Without it, the next start takes longer. */
function keep(path: string, kept: ReadonlyMap<string, Buffer>): void {
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`
  let end = 0
  const places = [...kept].map(([name, bytes]) => [name, end, (end += bytes.length)])
  try {
    const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(places)}\n`, 'latin1'), ...kept.values()])
    writeFileSync(beside, bytes, { flag: 'wx', mode: 0o644 })
    renameSync(beside, path)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    if (existsSync(beside)) rmSync(beside)
  }
}
