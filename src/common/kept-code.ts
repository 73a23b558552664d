// Runs a bundle with what V8 compiled of it before: to read the client's source anew takes 60 ms of each start.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { makePrivateFolder } from './data-folder.ts'
import { Failure, systemCode } from './failure.ts'

export interface KeptCodeOptions {
  /**
   * The file of the compiled code, which nobody can write but this user and those who may change the bundle; its folder is
   * made when there is something to keep. Undefined for none.
   */
  readonly keptIn: string | undefined
  /** Sets V8's flags as they are now: threads set some of them back. */
  readonly setFlags: () => void
}

/** What a bundle exports: whether this run has used so much of it that what was compiled is worth keeping. */
export interface Bundle {
  readonly isWorthKeeping?: () => boolean
}

const hashBytes = 32

/**
 * Runs a bundle of CommonJS in ASCII, for which `import.meta.url` is `$moduleUrl`, and which imports nothing later that is not
 * in it: Node 20 forgets for kept code where that would come from. What V8 compiled by the end of the first
 * run that was worth it is kept. Another source, and by V8's own check another V8 or other flags, makes it void.
 */
export function runWithKeptCode(url: URL, { keptIn, setFlags }: KeptCodeOptions): void {
  const filename = fileURLToPath(url)
  const source = readFileSync(filename, 'latin1')
  const hash = createHash('sha256').update(source, 'latin1').digest()
  const cachedData = keptIn === undefined ? undefined : keptCode(keptIn, hash)
  const script = new Script(`(function (require, module, exports, $moduleUrl) {${source}\n})`, {
    filename,
    ...(cachedData !== undefined && { cachedData }),
  })
  const run = script.runInThisContext() as (...words: unknown[]) => void
  const module: { exports: Bundle } = { exports: {} }
  run(createRequire(url), module, module.exports, url.href)
  if (keptIn === undefined || (cachedData !== undefined && script.cachedDataRejected === false)) return
  process.once('exit', () => {
    if (module.exports.isWorthKeeping?.() === false) return
    setFlags()
    keep(keptIn, Buffer.concat([hash, script.createCachedData()]))
  })
}

/** Of this source; undefined where there is none. */
function keptCode(path: string, hash: Buffer): Buffer | undefined {
  try {
    const kept = readFileSync(path)
    return kept.subarray(0, hashBytes).equals(hash) ? kept.subarray(hashBytes) : undefined
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}

/** Whole or not at all: others may be starting. Without it, the next start takes longer. */
function keep(path: string, bytes: Buffer): void {
  const beside = `${path}.${process.pid}`
  try {
    makePrivateFolder(dirname(path))
    writeFileSync(beside, bytes, { mode: 0o600 })
    renameSync(beside, path)
  } catch (error) {
    if (!(error instanceof Failure) && systemCode(error) === undefined) throw error
    if (existsSync(beside)) rmSync(beside)
  }
}
