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

/** By the path from the first bundle: what V8 compiled of one, behind a hash of the source, this Node and that. */
type Kept = ReadonlyMap<string, Buffer>

/** SHA-256. */
const hashBytes = 32

/** A bug, or a failure. */
const failed = 1

/**
 * Runs a bundle of CommonJS in ASCII, and whichever others it requires by relative paths. For all of them
 * `import.meta.url` is `$moduleUrl`, the place of the first; none of them imports: Node 20 forgets for kept code where that would come
 * from. What V8 compiled by the end of the first run that was worth it is kept. Another source or Node, and by V8's own
 * check other flags, makes it void.
 */
export function runWithKeptCode(url: URL, { keptIn, setFlags }: KeptCodeOptions): void {
  const bundles = new Bundles(url, keptIn === undefined ? new Map() : keptCode(keptIn, fileURLToPath(url)))
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
  readonly exports: object
  readonly script: Script
  /** The source and this Node. */
  readonly about: ReturnType<typeof createHash>
  /** As it was kept; undefined where V8 compiled anew. */
  readonly kept: Buffer | undefined
}

/** The bundles of a program. Each runs once, where it is required. */
class Bundles {
  readonly #main: URL
  readonly #kept: Kept
  readonly #node = programOfNode()
  readonly #requireOther: NodeJS.Require
  /** By the path from the first one. */
  readonly #running = new Map<string, Running>()

  constructor(main: URL, kept: Kept) {
    this.#main = main
    this.#kept = kept
    this.#requireOther = createRequire(main)
  }

  /** Returns what it exports. */
  run(url: URL): object {
    const name = url.href.slice(new URL('.', this.#main).href.length)
    const running = this.#running.get(name)
    if (running !== undefined) return running.exports
    const filename = fileURLToPath(url)
    const source = readFileSync(filename, 'latin1')
    const about = createHash('sha256').update(source, 'latin1').update(this.#node)
    const kept = checked(this.#kept.get(name), about)
    const script = new Script(`(function (require, module, exports, $moduleUrl) {${source}\n})`, {
      filename,
      ...(kept !== undefined && { cachedData: kept.subarray(hashBytes) }),
    })
    const module = { exports: {} }
    const require = (wanted: string): unknown =>
      wanted.startsWith('.') ? this.run(new URL(wanted, url)) : this.#requireOther(wanted)
    const run = script.runInThisContext() as (...words: unknown[]) => void
    run(require, module, module.exports, this.#main.href)
    // esbuild exports by getters, so that others would see what is assigned later. Nothing is, and a function call for each
    // use took a download 0.3 s of processor time per gigabyte.
    const exports = { ...module.exports }
    const isTaken = script.cachedDataRejected === false
    this.#running.set(name, { exports, script, about, kept: isTaken ? kept : undefined })
    return exports
  }

  /** Whether V8 has compiled one of them anew. */
  get hasNew(): boolean {
    return [...this.#running.values()].some(({ kept }) => kept === undefined)
  }

  /** What is compiled of those that ran, and what was kept of others that are still there. */
  code(): Kept {
    const code = new Map([...this.#kept].filter(([name]) => existsSync(new URL(name, this.#main))))
    for (const [name, { script, about, kept }] of this.#running) {
      const compiled = kept?.subarray(hashBytes) ?? script.createCachedData()
      code.set(name, kept ?? Buffer.concat([about.copy().update(compiled).digest(), compiled]))
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

/** What is in the file: in its first line where what was kept of which bundle lies behind it, to be checked. */
function keptCode(path: string, bundle: string): Kept {
  const bytes = ownBytes(path, bundle)
  const end = bytes?.indexOf('\n') ?? -1
  if (bytes === undefined || end === -1) return new Map()
  const code = bytes.subarray(end + 1)
  try {
    const places = JSON.parse(bytes.toString('latin1', 0, end)) as readonly [string, number, number][]
    return new Map(places.map(([name, from, to]) => [name, code.subarray(from, to)]))
  } catch (error) {
    // Damaged, or of a version that kept one bundle.
    if (error instanceof SyntaxError || error instanceof TypeError) return new Map()
    throw error
  }
}

/** The bytes of the file; undefined where there is none, or others may have written it. */
function ownBytes(path: string, bundle: string): Buffer | undefined {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const isOwn = isOf(fstatSync(file), [process.getuid?.(), 0, statSync(bundle).uid])
    return isOwn ? readFileSync(file) : undefined
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
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
function keep(path: string, kept: Kept): void {
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
