// Runs a bundle with what V8 compiled of it before: to read the client's source anew takes 60 ms of each start.

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

/** What a bundle exports: whether this run has used so much of it that what was compiled is worth keeping. */
export interface Bundle {
  readonly isWorthKeeping?: () => boolean
}

/** V8 runs whatever it is given, damaged or not: what is kept begins with a hash of it, its source and its Node. */
const hashBytes = 32

/** A bug, or a failure. */
const failed = 1

/**
 * Runs a bundle of CommonJS in ASCII, for which `import.meta.url` is `$moduleUrl`, and which imports nothing later that is not
 * in it: Node 20 forgets for kept code where that would come from. What V8 compiled by the end of the first run that was
 * worth it is kept. Another source or Node, and by V8's own check other flags, makes it void.
 */
export function runWithKeptCode(url: URL, { keptIn, setFlags }: KeptCodeOptions): void {
  const filename = fileURLToPath(url)
  const source = readFileSync(filename, 'latin1')
  const about = createHash('sha256').update(source, 'latin1').update(programOfNode())
  const cachedData = keptIn === undefined ? undefined : keptCode(keptIn, filename, about)
  const script = new Script(`(function (require, module, exports, $moduleUrl) {${source}\n})`, {
    filename,
    ...(cachedData !== undefined && { cachedData }),
  })
  const run = script.runInThisContext() as (...words: unknown[]) => void
  const module: { exports: Bundle } = { exports: {} }
  run(createRequire(url), module, module.exports, url.href)
  if (keptIn === undefined || (cachedData !== undefined && script.cachedDataRejected === false)) return
  process.once('exit', (code) => {
    if (code === failed || module.exports.isWorthKeeping?.() === false || !canKeep(keptIn)) return
    setFlags()
    keep(keptIn, script.createCachedData(), about)
  })
}

/** Two builds of one version of Node may have different V8s. */
function programOfNode(): string {
  const { size, mtimeMs } = statSync(process.execPath)
  return `${process.version} ${process.platform} ${process.arch} ${size} ${mtimeMs}`
}

/** The bytes that were kept of this source for this Node; undefined where there are none, or others may have written them. */
function keptCode(path: string, bundle: string, about: ReturnType<typeof createHash>): Buffer | undefined {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    if (!isOf(fstatSync(file), [process.getuid?.(), 0, statSync(bundle).uid])) return undefined
    const kept = readFileSync(file)
    const code = kept.subarray(hashBytes)
    return about.copy().update(code).digest().equals(kept.subarray(0, hashBytes)) ? code : undefined
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
function keep(path: string, code: Buffer, about: ReturnType<typeof createHash>): void {
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const bytes = [about.copy().update(code).digest(), code]
    writeFileSync(beside, Buffer.concat(bytes), { flag: 'wx', mode: 0o644 })
    renameSync(beside, path)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    if (existsSync(beside)) rmSync(beside)
  }
}
