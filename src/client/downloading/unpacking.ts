// Gives a complete folder its final name: it is filled beside the destination from the part file, and renamed when all is in
// it. So nothing is ever half there. A kill leaves the part file and that folder, which the next run makes anew; or the
// folder under its name, which the next run knows by its id.

import { existsSync } from 'node:fs'
import { chmod, rename, rm } from 'node:fs/promises'
import { Failure, systemCode } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { Filled } from '../workers/unpack.ts'
import type { ReplacedFolder } from './already-there.ts'
import type { Selection } from '../folder/selection.ts'
import { removeUnpacked, type Filling } from './filling.ts'
import { nameOnlyFile } from './only-file.ts'
import { fileFailure, idOf, isThatPart, removePart, type PartFile, type PartId } from './part-file.ts'
import { existsNow } from './publishing.ts'
import { manifestIfSame } from './same-file.ts'
import { flushFolder, flushName, isThat, lookAt, swapFolders } from './swap.ts'

export interface Unpacking {
  readonly part: PartFile
  readonly destination: string
  /** The part of the folder that is wanted; undefined for the whole. */
  readonly selection: Selection | undefined
  /** A file at the destination may be replaced by one. */
  readonly overwrite: boolean
  /** Of the same part file. */
  readonly filling: Filling
  /** Resolves when the tree is that of the pieces; rejects when not. */
  readonly check: () => Promise<void>
  /** The folder at the destination that is to be replaced. */
  readonly replaces: ReplacedFolder | undefined
  /** SHA-256 of the tree of a folder now, hex; undefined where it has none. */
  readonly treeAt: (path: string) => Promise<string | undefined>
  /** The only file in the folder; resolves when that is remembered. */
  readonly onMade: (id: PartId) => Promise<void>
}

/**
 * Returns undefined when somebody else wrote to the part file, which must be verified again, or when pieces that were lent
 * are missing now: nothing was done. `flushed`
 * resolves when all has reached the disk. Rejects with a `file` failure, or a `protocol` one for a tree that is none.
 */
export async function publishFolder(unpacking: Unpacking): Promise<{ flushed: Promise<void> } | undefined> {
  const { part, destination, selection, check, filling } = unpacking
  const { target } = filling
  await part.settled()
  await part.checkInPlace()
  let named: { flushed: Promise<void> } | undefined
  try {
    if (!part.isReady()) {
      await filling.discard()
      return undefined
    }
    await check()
    const filled = await filling.finish(selection)
    if (filled === undefined) return undefined
    // A part is shared by nobody, so nobody would look at it again after a power failure.
    if (selection !== undefined) await flushFolder(target)
    await part.settled()
    if (selection?.isFile === true) {
      named = await nameOnlyFile(target, unpacking)
      await rm(target, { recursive: true })
      if (named === undefined) return undefined
    } else {
      if (!part.isReady()) {
        await filling.discard()
        return undefined
      }
      await chmod(target, 0o777 & ~process.umask())
      const isFlushed = await name(unpacking, target, filled).catch(async (error: unknown) => {
        // What could not be replaced may be moved away by a person, and what it lends would be gone.
        await filling.copyLent().catch(ifFailure)
        throw error
      })
      if (isFlushed) named = { flushed: Promise.resolve() }
    }
    await part.remove()
  } catch (error) {
    throw isTaken(error) ? existsNow(destination, error) : fileFailure(`cannot write ${destination}`, error)
  }
  // It may reject before anyone listens, and an unhandled rejection ends the program.
  const { flushed } = named ?? { flushed: flushFolder(destination).then(() => flushName(destination)) }
  flushed.catch(() => undefined)
  return { flushed }
}

/**
 * Gives the filled folder its final name, at which there is nothing or the folder that it replaces. Resolves to whether all is
 * on the disk.
 */
async function name(
  { destination, replaces, treeAt }: Unpacking,
  target: string,
  { made }: Filled,
): Promise<boolean> {
  const there = await lookAt(destination)
  if (there === undefined) {
    await rename(target, destination)
    return false
  }
  if (replaces === undefined || !there.isDirectory() || !isThatPart(idOf(there), replaces.id))
    throw existsNow(destination)
  await swapFolders({ destination, replaces, treeAt, made })
  return true
}

/** What is remembered of a download that may have its final name. */
interface Named {
  readonly destination: string
  readonly unpacked?: PartId | undefined
  readonly part?: PartId | undefined
}

/**
 * Whether it has its final name already, in case the program ended before that was remembered: a file is recognised by its
 * content, a folder by its id. Rejects with a `file` failure, or with the signal's reason.
 */
export async function isPublished(
  manifest: Manifest,
  { destination, path }: PartFile,
  record: Named,
  hashes: Pick<HashPool, 'hashFile'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (manifest.folder !== undefined) return isUnpacked(record)
  if (existsSync(path)) return false
  return (await manifestIfSame(destination, manifest, hashes, signal)) !== undefined
}

/** Whether the folder that was filled, or the file in it, has its final name already; its part file goes then. */
async function isUnpacked({ destination, unpacked, part }: Named): Promise<boolean> {
  if (unpacked === undefined || !(await isThat(destination, unpacked))) return false
  // Of a file there may be another name in it.
  await removeUnpacked(destination, unpacked)
  if (part !== undefined) await removePart(destination, part)
  return true
}

function ifFailure(error: unknown): void {
  if (!(error instanceof Failure)) throw error
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')
}
